from __future__ import annotations

import pytest

from bot.channels.incoming import LONGEST_NAME, clean_name, clean_text, kind_of, media_type_of, parse_command
from bot.message import Command


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("/sum", Command("sum")),
        ("/SUM 50", Command("sum", "50")),
        ("  /search   누가 말했어?  ", Command("search", "누가 말했어?")),
        ("/tr one\ntwo", Command("tr", "one\ntwo")),
        ("/etc/hosts is broken", None),
        ("/", None),
        ("/ sum", None),
        ("/요약 50", Command("요약", "50")),
        ("sum 50", None),
        ("", None),
    ],
)
def test_a_command_is_a_slash_and_a_name_and_nothing_else(text: str, command: Command | None) -> None:
    assert parse_command(text) == command


@pytest.mark.parametrize(
    ("media_type", "name", "kind"),
    [
        ("image/png", "a.png", "image"),
        ("", "사진.HEIC", "image"),
        ("application/octet-stream", "scan.webp", "image"),
        ("image/svg+xml", "logo.svg", "document"),
        ("audio/ogg; codecs=opus", "voice", "audio"),
        ("", "talk.m4a", "audio"),
        ("video/mp4", "clip", "video"),
        ("", "report.docx", "document"),
        ("", "Makefile", "document"),
        ("nonsense", "photo.jpg", "image"),
    ],
)
def test_a_file_has_the_kind_of_its_media_type_or_else_of_its_name(media_type: str, name: str, kind: str) -> None:
    assert kind_of(media_type, name=name) == kind


def test_a_declared_media_type_that_could_break_a_header_is_not_believed() -> None:
    assert media_type_of("a.txt", declared="text/html\r\nSet-Cookie: x") == "text/plain"


@pytest.mark.parametrize(
    ("name", "cleaned"),
    [
        ("reports/2024/a.pdf", "reports/2024/a.pdf"),
        ("../../etc/passwd", "etc/passwd"),
        ("/abs/file.txt", "abs/file.txt"),
        ("C:\\Users\\me\\a.doc", "Users/me/a.doc"),
        ("a\0b\x1b[31m.txt", "ab[31m.txt"),
        ("\u202egnp.exe", "gnp.exe"),
        ("…/.././", "…"),
        ("..", "file"),
        ("", "file"),
        ("\u1112\u1161\u11ab.txt", "한.txt"),
    ],
)
def test_a_name_leads_nowhere_and_hides_nothing(name: str, cleaned: str) -> None:
    assert clean_name(name) == cleaned


def test_a_long_name_keeps_its_end_where_the_extension_is() -> None:
    assert len(clean_name("d/" * 300 + "a.pdf")) <= LONGEST_NAME
    assert clean_name("d/" * 300 + "a.pdf").endswith("/a.pdf")


def test_a_text_is_cleaned_of_what_no_encoder_takes() -> None:
    assert clean_text("a\0b\ud800c") == "ab\ufffdc"
