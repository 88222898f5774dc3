"""What was not linear once: the time of each grows with the length of a hostile text, not with its square."""

import pytest

from benchmarks.faults.text_growth import STEEP, Function, slope
from bot.channels.console_render import render
from bot.channels.rich_split import split
from bot.channels.rich_text import Rich
from bot.channels.telegram_outgoing import _compact
from bot.intake import _OF_NO_LANGUAGE
from bot.message import Reply
from bot.models.runtimes.image_text import _sentence
from bot.models.verify_json import LONGEST_PATTERN, _is_slow
from bot.retrieval import chunk, cues
from bot.retrieval.document import Block, Document
from bot.retrieval.parse_pdf_layout import _LEADERS, _PAGE_NUMBER
from bot.retrieval.parse_text import _RULE
from bot.retrieval.parse_web import _IMAGE, _LINK
from bot.retrieval.spoken import _KOREAN_PERSON, _KOREAN_SAID, _KOREAN_WHAT
from bot.text.blocks import _KOREAN_END
from bot.text.links import held_links_only
from skills.summarise.frame import _CONTACT
from skills.summarise.kept import _FILE
from skills.translate.layout import _NOT_WORDS


def cue(number: int) -> Function:
    return cues._CUES[number][1].search


@pytest.mark.parametrize(
    ("function", "piece"),
    [
        (lambda text: split(Rich(text)), "\U0001f1f0"), (_compact, " "), (lambda text: render(Reply(text, "en")), "\n"),
        (lambda text: _OF_NO_LANGUAGE.sub("", text), "a-"), (lambda text: chunk.pieces(Document("text", "t", (Block("text", text),))), "a"),
        (cue(1), "2"), (cue(3), "가"), (cue(4), "군치"), (_LEADERS.search, " "), (_PAGE_NUMBER.match, "-"), (_RULE.match, " "),
        (_IMAGE.search, "!["), (_LINK.search, "["), (_LINK.search, "[]("), (_KOREAN_PERSON.search, " "), (_KOREAN_SAID.search, "\n"),
        (_KOREAN_WHAT.search, " "),
        (_KOREAN_END.search, "ㅠ"), (lambda text: held_links_only(text, [text]), "["), (lambda text: held_links_only(text, [text]), "a."),
        (lambda text: held_links_only(text, [text]), "[]("), (_NOT_WORDS.search, "a"), (_sentence, " "), (_CONTACT.fullmatch, "1"),
        (_FILE.search, "a"), (_FILE.search, "a."),
    ],
)  # fmt: skip
def test_a_hostile_text_costs_no_more_than_its_length(function: Function, piece: str) -> None:
    powers = (
        slope(function, piece, most=16_384, suffix="\x07") for _again in range(3)
    )  # a busy machine may spoil one, hostile texts spoil all
    assert any(power is None or power < STEEP + 0.3 for power in powers)


def test_a_tokenizers_pattern_that_would_take_long_to_look_at_is_slow_itself() -> None:
    assert _is_slow("[*" * LONGEST_PATTERN)
    assert not _is_slow("a?" * 2_000)
