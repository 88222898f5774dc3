from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.channels.web_render import FILES_SHOWN, Renderer, blob_link
from bot.channels.web_transcript import Entry
from bot.channels.web_words import WORDS, words
from bot.contract.hostile_texts import HOSTILE
from bot.message import Address, Attachment, Button, Command, Message, Picture, Receipt, Reply, Source

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
BLOB = "ab" * 32
FACTS: dict[str, object] = {"documents": 0, "admin": False, "limits": {"file_mb": 50, "batch_files": 2000}}
MESSAGE = Message(Address("web", "local", "me"), "me", "m-1", "Where is it?", "en", AT)


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer()


def shown(renderer: Renderer, said: Message | Reply, id: str = "e-1") -> str:
    return renderer.entry(Entry(id, said, AT)).html


def test_a_message_is_escaped_and_keeps_its_lines(renderer: Renderer) -> None:
    assert '<p class="said" dir="auto">a &lt;b&gt;\nc</p>' in shown(renderer, replace(MESSAGE, text="a <b>\nc"))


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_is_nowhere_let_through(renderer: Renderer, text: str) -> None:
    source = Source(text, text, text, 0.5, (0, len(text)))
    reply = Reply(
        text, "en", (Picture(text, text),), (Button(text, Command("x"), text),), (source,), Receipt(text, text, 0.5, text, 0.1)
    )
    file = Attachment("document", text, text, 1, blob=text)
    message = replace(MESSAGE, text=text, attachments=(file,), reply_to=replace(MESSAGE, text=text))
    for said in (reply, message):
        markup = shown(renderer, said, id=text)
        for never in (
            "<script",
            "<img src=x",
            "<svg/",
            "<iframe",
            "<style",
            "<b ",
            "<!--",
            'href="javascript',
            'href="data:',
            'href="//',
        ):
            assert never not in markup.lower()
        markup.encode()


def test_the_sentence_that_answers_is_marked(renderer: Renderer) -> None:
    source = Source("lease.pdf", "Rent <is> due. Notice: 3 months. End.", "/blobs/x", 0.93, (15, 32))
    markup = shown(renderer, Reply("ok", "en", sources=(source,)))
    assert "Rent &lt;is&gt; due. <mark>Notice: 3 months.</mark> End." in markup
    assert 'href="/blobs/x"' in markup
    assert "93%" in markup


@pytest.mark.parametrize("marked", [(5, 2), (-3, 2), (0, 999), None])
def test_a_range_that_does_not_fit_marks_nothing(renderer: Renderer, marked: tuple[int, int] | None) -> None:
    assert "<mark>" not in shown(renderer, Reply("ok", "en", sources=(Source("t", "text", "", 0.5, marked),)))


def test_a_source_that_leads_nowhere_has_no_link(renderer: Renderer) -> None:
    assert 'class="open"' not in shown(renderer, Reply("ok", "en", sources=(Source("t", "text", "file:///etc/passwd", 0.5),)))


def test_buttons_carry_their_token(renderer: Renderer) -> None:
    assert 'data-token="tok-1">More</button>' in shown(
        renderer, Reply("ok", "en", buttons=(Button("More", Command("more"), "tok-1"),))
    )


def test_the_receipt_tells_skill_model_time_and_route(renderer: Renderer) -> None:
    receipt = Receipt("search", "minilm@53aa", 0.97, "summarise", 0.02, (("embed", 2.14), ("index", 1500.0)))
    markup = shown(renderer, Reply("ok", "en", receipt=receipt))
    for told in ("1.5 s", "embed 2.1 ms", "index 1.5 s", "minilm@53aa", "search 0.97 · summarise 0.02", "nothing"):
        assert told in markup


def test_a_reply_without_a_receipt_has_no_how(renderer: Renderer) -> None:
    assert 'class="how"' not in shown(renderer, Reply("ok", "en"))


def test_pictures_are_shown_and_files_listed_a_few_at_first(renderer: Renderer) -> None:
    picture = Attachment("image", "photo.png", "image/png", 10, blob=BLOB)
    files = tuple(
        Attachment("document", f"d/{number}.pdf", "application/pdf", 2048, blob=BLOB) for number in range(FILES_SHOWN + 3)
    )
    markup = shown(renderer, replace(MESSAGE, attachments=(picture, *files)))
    assert f'<img src="/blobs/{BLOB}" alt="photo.png"' in markup
    assert "and 4 more" in markup
    assert "<bdi>d</bdi> · 2.0 KB" in markup


def test_a_picture_that_is_no_blob_is_no_image(renderer: Renderer) -> None:
    assert "<img" not in shown(
        renderer, replace(MESSAGE, attachments=(Attachment("image", "p.png", "image/png", 1, ref="remote"),))
    )


def test_labels_are_in_the_language_of_what_is_said(renderer: Renderer) -> None:
    assert "어떻게 답했는지 보기" in shown(renderer, Reply("네", "ko", receipt=Receipt("search")))


def test_the_digest_changes_with_the_content_alone(renderer: Renderer) -> None:
    first, same = (renderer.entry(Entry("1", Reply("a", "en"), at)) for at in (AT, AT.replace(minute=31)))
    assert first.digest == same.digest
    assert first.digest != renderer.entry(Entry("1", Reply("b", "en"), AT)).digest


def test_every_control_says_in_words_what_it_does(renderer: Renderer) -> None:
    markup = shown(renderer, Reply("ok", "en"))
    assert 'title="Copy" aria-label="Copy"' in markup
    assert "built-in" not in markup


def test_a_long_text_is_cut_short_and_leads_to_the_whole(renderer: Renderer) -> None:
    markup = shown(renderer, replace(MESSAGE, text="word " * 200_000))
    assert len(markup) < 4000
    assert 'href="/messages/m-1"' in markup
    assert "Show all 1,000,000 characters" in markup
    assert len(renderer.entry(Entry("e", replace(MESSAGE, text="word " * 200_000), AT), whole=True).html) > 1_000_000


def test_the_empty_page_says_what_to_do_and_how_much_it_takes(renderer: Renderer) -> None:
    page = renderer.page([], "en", facts=FACTS | {"documents": 1200}, signed_in=False)
    for told in ("Choose files", "Choose a folder", "Up to 50 MB a file, 2,000 files at a time", "1,200 documents are here"):
        assert told in page
    assert "documents are here" not in renderer.page([], "en", facts=FACTS, signed_in=False).partition("<script")[0]


def test_the_page_puts_no_text_into_a_script(renderer: Renderer) -> None:
    hostile = "</script><script>alert(1)</script>"
    page = renderer.page([Entry("1", Reply(hostile, "en"), AT)], "en", facts=FACTS | {"words": hostile}, signed_in=False)
    assert "<script>alert" not in page
    assert "\\u003c/script\\u003e" in page


def test_the_page_speaks_the_language_that_is_asked_for(renderer: Renderer) -> None:
    assert "무엇을 찾아 드릴까요?" in renderer.page([], "ko", facts=FACTS, signed_in=False)
    assert "What are you looking for?" in renderer.page([], "en", facts=FACTS, signed_in=False)


@pytest.mark.parametrize("name", sorted(WORDS))
def test_every_word_of_the_page_is_in_korean_and_keeps_its_braces(name: str) -> None:
    english, korean = words("en")[name], words("ko")[name]
    assert korean != english
    assert sorted(set(_braces(korean))) == sorted(set(_braces(english)))


def test_a_blob_is_linked_by_its_name_and_nothing_else() -> None:
    assert blob_link(BLOB, "보고서 1.pdf") == f"/blobs/{BLOB}?name=%EB%B3%B4%EA%B3%A0%EC%84%9C%201.pdf"
    assert blob_link("../../etc/passwd") == ""


def _braces(text: str) -> list[str]:
    return [part.partition("}")[0] for part in text.split("{")[1:]]
