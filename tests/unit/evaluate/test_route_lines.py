"""Lines in, rows out."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from queue import Queue

import pytest

from bot.errors import UnreadableError
from bot.evaluate.route_lines import AT_ONCE, Row, lines_of, route_lines
from bot.locale import Language
from bot.router import Decision


class Router:
    """Names the first word of a text, and remembers how many were asked together."""

    def __init__(self) -> None:
        self.asked: list[list[tuple[str, Language]]] = []

    async def __call__(self, asked: Sequence[tuple[str, Language]]) -> list[Decision]:
        self.asked.append(list(asked))
        words = [(text.split(maxsplit=1) or [""])[0] for text, _language in asked]
        return [Decision(word, 0.90001, "chat", 0.05, "none" if word == "none" else "answer") for word in words]


async def routed(lines: Sequence[str], router: Router) -> list[Row]:
    return [row async for row in route_lines(lines, router)]


async def test_a_row_has_these_keys() -> None:
    (row,) = await routed(['{"text": "search x"}'], Router())
    assert row == {
        "text": "search x",
        "skill": "search",
        "score": 0.9,
        "runner_up": "chat",
        "runner_up_score": 0.05,
        "action": "answer",
    }


async def test_objects_texts_and_plain_lines_are_lines_and_blank_ones_are_not() -> None:
    lines = ['\ufeff{"text": "a b"}\n', "\n", '"c d"\n', "e f\n", "[1]\n", "12345\n", '{"text": ""}\n']
    assert [row["text"] for row in await routed(lines, Router())] == ["a b", "c d", "e f", "[1]", "12345", ""]


async def test_a_line_may_name_its_language() -> None:
    router = Router()
    await routed(['{"text": "ok", "language": "ko"}', '{"text": "안녕"}', '{"text": "hi"}', '{"text": "?"}'], router)
    assert [language for asked in router.asked for _text, language in asked] == ["ko", "ko", "en", "en"]


@pytest.mark.parametrize("line", ['{"text": "cut', '{"label": "search"}', '{"text": 3}', '{"text": null}'])
async def test_a_line_without_a_text_is_told_by_its_number_after_those_before_it(line: str) -> None:
    rows = route_lines(["a", "", line, "b"], Router())
    row = await anext(rows)
    assert row["text"] == "a"
    with pytest.raises(UnreadableError, match="Line 3 is not"):
        await anext(rows)


async def test_bytes_that_are_no_text_are_told_by_their_number() -> None:
    def lines() -> Iterator[str]:
        yield "a"
        yield b"\xff".decode()

    with pytest.raises(UnreadableError, match="Line 2 is not"):
        [row async for row in route_lines(lines(), Router())]


async def test_many_lines_are_asked_together_and_come_out_in_order() -> None:
    router = Router()
    lines = [json.dumps({"text": f"w{index}"}) for index in range(3 * AT_ONCE)]
    assert [row["text"] for row in await routed(lines, router)] == [f"w{index}" for index in range(3 * AT_ONCE)]
    assert max(map(len, router.asked)) <= AT_ONCE
    assert len(router.asked) < len(lines) / 2


async def test_whoever_writes_a_line_and_waits_for_its_row_gets_it() -> None:
    written: Queue[str | None] = Queue()
    rows = route_lines(iter(written.get, None), Router())
    for line in ("a", "b"):
        written.put(line)
        row = await asyncio.wait_for(anext(rows), 30)
        assert row["text"] == line
    written.put(None)
    with pytest.raises(StopAsyncIteration):
        await anext(rows)


async def test_a_row_can_be_written_whatever_its_text_held() -> None:
    (row,) = await routed(['{"text": "a\\ud800b"}'], Router())
    assert str(row["text"]).encode().decode() == "a\ufffdb"


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match=r"lines\.jsonl cannot be read"):
        lines_of(tmp_path / "lines.jsonl")


def test_only_a_newline_ends_a_line_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "lines.jsonl"
    file.write_text('{"text": "a\u2028b"}\n{"text": "c"}', encoding="utf-8")
    assert len(lines_of(file)) == 2
