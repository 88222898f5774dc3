"""The gate of the chat models: short conversations whose last answer must hold, lack or be something.

Owns: golden/en.jsonl and ko.jsonl (our own texts) and what their fields mean: `contains` (one of them), `lacks` (none of them),
`lines_at_least`. An answer in another script than the question's has nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final, cast

from bot.locale import Language, Text, phrases
from bot.models.gates.golden import Case, has_hangul, has_latin, read_cases, shown, wanted
from bot.models.tasks import CHAT, ChatInput, ChatOutput, ChatTurn
from bot.models.trial import Embed, Predict, Scored

_ = phrases(__file__)

FOLDER: Final = Path(__file__).parent / "golden"
MOST_TOKENS: Final = 96
LONGEST_TOKEN: Final = 20
"""Characters. (`ChatOutput.tokens` counts the conversation too.)"""
CANARIES: Final = ("Say good morning in one short sentence.", "짧은 아침 인사를 한 문장으로 해 주세요.")


class ChatGate:
    """Tries models of the slot `chat`."""

    slot = CHAT
    metric = "share right"
    tolerance = 0.1

    def canaries(self) -> Sequence[ChatInput]:
        """Return a greeting in each language."""
        return [ChatInput((ChatTurn("user", text),), MOST_TOKENS) for text in CANARIES]

    def fault(self, inputs: Sequence[ChatInput], outputs: Sequence[ChatOutput], languages: Sequence[str]) -> Text | None:
        """Say what is wrong with the answers: none, one without end, or another script than the question's."""
        for item, made in zip(inputs, outputs, strict=True):
            language: Language = "ko" if has_hangul(item.turns[-1].text) else "en"
            if language not in wanted(languages):
                continue
            if not made.text.strip():
                return _("It gave no answer.")
            if len(made.text) > LONGEST_TOKEN * item.max_tokens:
                return _("It gave a longer answer than was allowed.")
            if not in_script(made.text, language):
                return _("It answered in another language than it was asked in.")
        return None

    def count(self, languages: Sequence[str]) -> int:
        """Return how many conversations are gone on with."""
        return len(golden(languages))

    def evaluate(self, predict: Predict[ChatInput, ChatOutput], _embed: Embed, languages: Sequence[str]) -> list[Scored]:
        """Go on with each golden conversation; 1 where the answer is right."""
        scored: list[Scored] = []
        for case in golden(languages):
            turns = tuple(ChatTurn(*turn) for turn in cast("list[tuple[str, str]]", case["turns"]))  # type: ignore[arg-type]
            (made,) = predict([ChatInput(turns, MOST_TOKENS)])
            asked = shown(turns[-1].text)
            scored.append(Scored(str(case["id"]), _language(case), float(is_right(made.text, case)), asked, shown(made.text)))
        return scored


def golden(languages: Sequence[str]) -> list[Case]:
    """Return the golden cases in those of our languages that a model knows."""
    return read_cases(*(FOLDER / f"{language}.jsonl" for language in wanted(languages)))


def is_right(answer: str, case: Case) -> bool:
    """Say whether `answer` holds what the case asks for. Numbers and Latin words count as whole words only."""
    said = answer.casefold()
    contains, lacks = (cast("list[str]", case.get(name, [])) for name in ("contains", "lacks"))
    lines = [line for line in answer.splitlines() if line.strip()]
    if any(_holds(said, word) for word in lacks) or len(lines) < cast("int", case.get("lines_at_least", 0)):
        return False
    if not contains:
        return in_script(answer, _language(case))
    return any(_holds(said, word) for word in contains)


def in_script(text: str, language: Language) -> bool:
    """Say whether `text` is written as `language` is; a number alone is neither."""
    return has_hangul(text) if language == "ko" else has_latin(text) and not has_hangul(text)


def _holds(said: str, word: str) -> bool:
    return re.search(rf"(?<![a-z0-9]){re.escape(word.casefold())}(?![a-z0-9])", said) is not None


def _language(case: Case) -> Language:
    return cast("Language", str(case["id"]).partition(".")[0])
