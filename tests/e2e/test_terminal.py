"""`paring chat` on a real terminal, as a person meets it."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.terminal import program_on_a_terminal


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    return {"PARING_HOME": str(tmp_path / "home"), "PARING_CONFIG": ""}


def test_a_person_is_greeted_asks_presses_and_leaves(settings: dict[str, str]) -> None:
    with program_on_a_terminal("chat", **settings) as terminal:
        terminal.wait_for("Ask anything.*Ctrl-D ends")
        terminal.wait_for("\n›")
        terminal.type("/help\r")
        screen = terminal.wait_for(r"help · [\d.]+ ms")
        assert "Search /search" in screen
        assert "Working on it" not in screen, "the waiting line is gone when the answer stands"
        terminal.wait_for("›$")
        terminal.type("#1\r")
        terminal.wait_for("There is no button #1")
        terminal.wait_for("›$")
        terminal.type("/file /nonexistent\r")
        terminal.wait_for("/nonexistent is not a file")
        terminal.wait_for("›$")
        terminal.type("한국\x7f\x7f/lang ko\r")  # two columns wide each, and taken back
        terminal.wait_for("한국어로")
        terminal.wait_for("›$")
        terminal.type("/\r")
        terminal.wait_for("/forget .*지우기")
        terminal.wait_for("›$")
        terminal.type("\x04")
        assert terminal.ended() == 0
        assert terminal.echoes()


def test_ctrl_c_ends_the_chat_and_gives_the_terminal_back(settings: dict[str, str]) -> None:
    with program_on_a_terminal("chat", **settings) as terminal:
        terminal.wait_for("\n›")
        terminal.type("half a li")
        terminal.wait_for("half a li")
        terminal.interrupt()
        assert terminal.ended() == 130
        assert "\nparing: stopped" in terminal.screen.text
        assert terminal.echoes()


def test_without_colour_nothing_is_coloured(settings: dict[str, str]) -> None:
    with program_on_a_terminal("chat", NO_COLOR="1", **settings) as terminal:
        terminal.wait_for("\n›")
        terminal.type("/help\r")
        terminal.wait_for(r"help · [\d.]+ ms")
        terminal.type("/quit\r")
        assert terminal.ended() == 0
        assert not any(f"\x1b[{colour}m" in terminal.raw for colour in range(30, 38))


def test_where_a_button_is_pressed_is_told_to_who_cannot_press_it(settings: dict[str, str]) -> None:
    with program_on_a_terminal("say", "/start", LC_ALL="ko_KR.UTF-8", **settings) as terminal:
        terminal.wait_for("#1 ")
        terminal.wait_for("버튼은 `paring chat`에서 누를 수 있어요")
        assert terminal.ended() == 0


def test_the_chat_greets_in_the_terminals_language(settings: dict[str, str]) -> None:
    with program_on_a_terminal("chat", LC_ALL="ko_KR.UTF-8", **settings) as terminal:
        terminal.wait_for("Ctrl-D")
        assert "Ask anything" not in terminal.screen.text
        terminal.wait_for("\n›")
        terminal.type("/hlep\r")
        terminal.wait_for("혹시 /help 인가요")
        terminal.wait_for("›$")
        terminal.type("\x04")
        assert terminal.ended() == 0
