"""Which document words name."""

from __future__ import annotations

import pytest

from skills.summarise.named import meant

FILES = ("notes_2026.txt", "임대차계약서.pdf", "Employee Handbook.docx", "cats.txt", "회의록.hwpx", "short text.md")


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ("summarise the handbook", "Employee Handbook.docx"),
        ("summarize employee handbook.docx in 2 sentences", "Employee Handbook.docx"),
        ("tl;dr of notes_2026.txt please", "notes_2026.txt"),
        ("give me the note in short", "notes_2026.txt"),
        ("계약서 요약해줘", "임대차계약서.pdf"),
        ("임대차계약서를 세 줄로 요약해줘", "임대차계약서.pdf"),
        ("회의록 핵심만 정리해 주세요", "회의록.hwpx"),
        ("요약해줘, 보낸 파일", "notes_2026.txt"),
        ("summarise the pdf that I sent", "notes_2026.txt"),
        ("summarise this", None),
        ("a short summary of this text please", None),
        ("이거 세 줄로 요약해줘", None),
        ("다음 내용 정리해줘", None),
        ("summarise the novel", None),
    ],
)
def test_a_document_is_named_by_the_words_of_its_name(said: str, named: str | None) -> None:
    place = meant(said, FILES)
    assert (FILES[place] if place is not None else None) == named


def test_of_two_that_are_named_alike_the_newest_is_meant() -> None:
    assert meant("summarise the plan", ["plan b.md", "plan a.md"]) == 0
    assert meant("summarise plan a2026", ["plan b.md", "plan a2026.md"]) == 1
    assert meant("summarise it", []) is None


@pytest.mark.parametrize("name", ["인사평가", "조직도", "여름휴가", "회의록"])
def test_a_name_s_own_end_is_not_taken_for_a_particle(name: str) -> None:
    assert meant(f"{name} 요약해줘", ["other.md", f"{name}.md"]) == 1
    assert meant(f"{name} 요약해줘", ["other.md"]) is None
