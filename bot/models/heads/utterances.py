r"""What people type, by label and language: read from each skill's utterances.yaml, and unfolded.

Owns: the file's shape, choices and fillers, and which package brings which file. Leaves to `bot.models.heads.noise` how people
mistype it. A line may hold choices and names of fillers:

    en: |
      where (is|was) {doc}?
    ko: ["{doc} 어디 있어?"]
    fillers: {en: {doc: [the plan]}, ko: {doc: [계획서]}}       # beside those of bot/fillers.yaml

    utterances = read_utterances()               # every installed skill, and none.yaml
    [example.text for example in unfold(utterances)]
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final
from zlib import crc32

from bot import lazy
from bot.errors import ModelError
from bot.locale import LANGUAGES, Language, phrases
from bot.models.presets import read_yaml
from bot.plugins import installed

_ = phrases(__file__)

NONE: Final = "none"
SKILLS: Final = "paring.skills"
UNFOLDED: Final = 3
"""Examples that are made of one line at most."""

_CHOICE = lazy.compile(r"\(([^()|]*(?:\|[^()|]*)+)\)")
_FILLER = lazy.compile(
    r"\{(\w+)\}(은|는|이라고|라고|이랑|랑|이라는|라는|이라면|라면|이|가|을|를|으로|로|과|와)?(?=([^가-힣]|$)?)"
)
_HOST: Final = Path(__file__).parents[2]

Fillers = Mapping[Language, Mapping[str, Sequence[str]]]


@dataclass(frozen=True, slots=True)
class Source:
    """One file of utterances: the label that its lines have."""

    label: str
    file: Path


@dataclass(frozen=True, slots=True)
class Utterance:
    """One line as it stands in a file. `fillers` are those of its file's language."""

    line: str
    label: str
    language: Language
    fillers: Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Example:
    """A text to train on. `family` is the same for texts of one line: they are never split between training and testing."""

    text: str
    label: str
    language: Language
    family: int
    weight: float


def sources() -> tuple[Source, ...]:
    """Return the files of all installed skills that bring one, by skill name, and the host's none.yaml last."""
    found = []
    for _name, point in sorted(installed(SKILLS).items()):
        folder = _folder_of(point.module)
        if folder is not None and (file := folder / "utterances.yaml").is_file():
            found.append(Source(point.name, file))
    return (*found, Source(NONE, _HOST / "none.yaml"))


def digest(files: Iterable[Source]) -> str:
    """Return the sha256 of what the files, the common fillers and this package's own word lists hold."""
    total = hashlib.sha256()
    for file in (_HOST / "fillers.yaml", *(Path(__file__).with_name(name) for name in ("glossary.txt", "noise.yaml"))):
        total.update(file.read_bytes())
    for source in files:
        total.update(f"\0{source.label}\0".encode())
        total.update(source.file.read_bytes())
    return total.hexdigest()


def read_utterances(files: Iterable[Source] | None = None) -> list[Utterance]:
    """Return every line of the files (of all that are installed, by default), in order.

    Raises:
        ModelError: a file cannot be read, or has a line with a filler that nobody brings.
    """
    common = _fillers(_HOST / "fillers.yaml", read_yaml(_HOST / "fillers.yaml"))
    found: list[Utterance] = []
    for source in sources() if files is None else files:
        said = read_yaml(source.file)
        own = _fillers(source.file, said.get("fillers") or {})
        for language in LANGUAGES:
            fillers = {**common[language], **own[language]}
            for line in _lines(source.file, said.get(language)):
                _check(source.file, line, fillers)
                found.append(Utterance(line, source.label, language, fillers))
    return found


def unfold(utterances: Iterable[Utterance]) -> list[Example]:
    """Return up to UNFOLDED examples a line, the same on every machine; a line's examples share its weight's growth."""
    examples: list[Example] = []
    for family, utterance in enumerate(utterances):
        texts = _texts(utterance)
        weight = len(texts) ** -0.5
        examples += [Example(text, utterance.label, utterance.language, family, weight) for text in texts]
    return examples


def _texts(utterance: Utterance) -> list[str]:
    chance = random.Random(crc32(utterance.line.encode()))  # noqa: S311 - the same examples on every machine
    count = UNFOLDED if _CHOICE.search(utterance.line) or _FILLER.search(utterance.line) else 1
    texts = dict.fromkeys(_filled(utterance, chance) for _attempt in range(2 * count))
    return list(texts)[:count]


def _filled(utterance: Utterance, chance: random.Random) -> str:
    text = _CHOICE.sub(lambda match: chance.choice(match[1].split("|")), utterance.line)

    def fill(match: re.Match[str]) -> str:
        word = chance.choice(utterance.fillers[match[1]])
        return word + _particle(word, match[2] or "")

    text = _FILLER.sub(fill, text)
    if "\n" in text:
        return text.strip()
    return " ".join(text.split())


_PAIRS: Final = {
    short: (long, short)
    for long, short in (("은", "는"), ("이", "가"), ("을", "를"), ("으로", "로"), ("과", "와"), ("이랑", "랑"), ("이라고", "라고"),
                        ("이라는", "라는"), ("이라면", "라면"))
}  # fmt: skip
_PAIRS_BY_EITHER: Final = {form: pair for pair in _PAIRS.values() for form in pair}


def _particle(word: str, particle: str) -> str:
    """Return the form of `particle` that follows `word`: 을 after a final consonant, 를 after a vowel."""
    last = word[-1:]
    if particle not in _PAIRS_BY_EITHER or not "가" <= last <= "힣":
        return particle
    final = (ord(last) - ord("가")) % 28
    long, short = _PAIRS_BY_EITHER[particle]
    rieul = 8
    return short if final == 0 or (final == rieul and short == "로") else long


def _folder_of(module: str) -> Path | None:
    package = module.rpartition(".")[0] or module
    try:
        found = find_spec(package)
    except ModuleNotFoundError:
        return None
    return Path(next(iter(found.submodule_search_locations))) if found and found.submodule_search_locations else None


def _lines(file: Path, said: object) -> list[str]:
    if said is None:
        return []
    if isinstance(said, str):
        return [line.strip().replace("\\n", "\n") for line in said.splitlines() if line.strip()]
    if isinstance(said, list) and all(isinstance(line, str) for line in said):
        return [line.strip() for line in said if line.strip()]
    raise _wrong(file, "en and ko must each be a list of texts, or one text with a line each")


def _fillers(file: Path, said: object) -> Fillers:
    if not isinstance(said, dict):
        raise _wrong(file, "fillers must be a mapping of language to lists")
    found: dict[Language, dict[str, list[str]]] = {}
    for language in LANGUAGES:
        lists = said.get(language) or {}
        if not isinstance(lists, dict) or not all(isinstance(words, list) and words for words in lists.values()):
            raise _wrong(file, f"the fillers of {language} must be lists that are not empty")
        found[language] = {str(name): [str(word) for word in words] for name, words in lists.items()}
    return found


def _check(file: Path, line: str, fillers: Mapping[str, Sequence[str]]) -> None:
    if unknown := next((match[1] for match in _FILLER.finditer(line) if match[1] not in fillers), None):
        raise _wrong(file, f"nobody brings the filler {unknown} of “{line}”")


def _wrong(file: Path, what: str) -> ModelError:
    return ModelError(_("{file} cannot be used for routing: {what}. Mend the file and start again.", file=file.name, what=what))
