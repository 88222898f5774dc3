"""Made-up passages with questions that they answer and questions that they do not: what models that read are taught with.

    asked = asked_of(FOLDER)      # 14,400 questions about 1,440 passages of 48 organisations and subjects, half Korean, half English

Each file of `benchmarks/reading` is of one of them. A passage begins with a line `# title > heading`; its questions follow it:

    ? question|answer     in the passage's language; the answer stands verbatim in it
    x question|answer     in the other language
    - question            in its language, about its matter, and told by no passage of the file
    y question            the same in the other one

The files of `benchmarks/reading/public` are about passages of public sets, which they name and do not hold: a line is

    passage|sentence|question     which of its sentences answers, from 0; - where none does, though it is about the same matter

All were written for this, in everyday words, by authors who had read nothing of the program.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "reading"
MORE, PUBLIC = FOLDER / "more", FOLDER / "public"
KINDS = "?x-y"
FIELDS, NONE = 3, "-"


@dataclass(frozen=True)
class Asked:
    """A question, the passage that it is about, and what in it answers; "" where nothing does."""

    subject: str
    title: str
    text: str
    question: str
    answer: str = ""


def asked_of(folder: Path) -> list[Asked]:
    """Return the questions of all files in `folder`. Raises ValueError where a file is not of this form."""
    return [asked for file in sorted(folder.glob("*.txt")) for asked in _of_file(file)]


def _of_file(file: Path) -> Iterator[Asked]:
    title = text = ""
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        kind, _space, said = line.strip().partition(" ")
        if kind == "#":
            title, text = said, ""
        elif kind in {*KINDS} and said:
            question, _bar, answer = said.rpartition("|") if kind in "?x" else (said, "", "")
            if not text or not question or (kind in "?x" and (not answer or answer not in text)):
                msg = f"{file.name}, line {number}: the passage does not hold the answer"
                raise ValueError(msg)
            yield Asked(file.stem, title, text, question.strip(), answer.strip())
        elif line.strip():
            text = f"{text}\n{line.strip()}".strip()


@dataclass(frozen=True)
class Written:
    """A question about a passage of a public set, and which of its sentences answers; -1 where none does."""

    passage: str
    sentence: int
    question: str


def written_of(file: Path) -> list[Written]:
    """Return the questions of a file of PUBLIC. Raises ValueError where it is not of this form."""
    found: list[Written] = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        passage, sentence, question = line.split("|") if line.count("|") == FIELDS - 1 else ("", "", "")
        if not passage or not question or not (sentence.isdecimal() or sentence == NONE):
            msg = f"{file.name}, line {number}: no question"
            raise ValueError(msg)
        found.append(Written(passage, -1 if sentence == NONE else int(sentence), question))
    return found
