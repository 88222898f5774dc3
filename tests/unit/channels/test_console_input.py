"""The terminal's line, while another part of the program changes the process's locale."""

import ctypes
import locale
import threading
from collections.abc import Iterator

import pytest

from bot.channels import console_input


def longest_character() -> int:
    """Return how many bytes a character has at most, as the library for C sees it on this thread."""
    size = ctypes.CDLL(None).__ctype_get_mb_cur_max
    size.restype = ctypes.c_size_t
    return int(size())


@pytest.fixture
def in_utf_8(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    before = locale.setlocale(locale.LC_CTYPE)
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    console_input._own_locale.cache_clear()
    locale.setlocale(locale.LC_CTYPE, "C.UTF-8")
    yield
    locale.setlocale(locale.LC_CTYPE, before)
    console_input._own_locale.cache_clear()


@pytest.mark.parametrize(("kept", "longest"), [(True, 6), (False, 1)])
def test_a_character_stays_whole_while_the_process_has_no_locale(in_utf_8: None, kept: bool, longest: int) -> None:
    reading, changed, found = threading.Event(), threading.Event(), list[int]()

    def read() -> None:
        if kept:
            console_input.keep_characters()
        reading.set()
        changed.wait(60)
        found.append(longest_character())

    thread = threading.Thread(target=read)
    thread.start()
    assert reading.wait(60)
    locale.setlocale(locale.LC_CTYPE, "C")
    changed.set()
    thread.join(60)
    assert found == [longest]
