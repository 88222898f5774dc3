"""Encoder-decoder models of transformers: translation and abstractive summaries.

Owns: telling each family of translation models the languages, cutting what is too long for the encoder, generation
without chance and without loops. Leaves to the skills: sentences, lists and code blocks. Weights are safetensors.

    translator = load_translation(spec, folder, LoadOptions(threads=2))
    translator.predict([TranslationInput("안녕하세요.", "ko", "en")])

A folder that has no config.json but folders with one (`ko-en/`, `en-ko/`) is a set of one-way models: each input goes to
the one that translates in its direction.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from bot.errors import ModelError
from bot.locale import phrases
from bot.models.runtimes.encoder_decoder import BATCH_ROWS, MAX_INPUT_TOKENS, Network, load_network
from bot.models.runtimes.pytorch import available
from bot.models.runtimes.tongues import Scheme, pair_of, unknown_direction
from bot.models.spec import LoadOptions, ModelSpec
from bot.models.tasks import Summary, SummaryInput, SummaryLength, TranslationInput
from bot.skill import Model

__all__ = ["Directions", "Summariser", "Translator", "available", "load_summary", "load_translation"]

_ = phrases(__file__)

LOOP_NGRAM: Final = 6
"""No six tokens twice: stops a loop, lets people repeat themselves."""
SUMMARY_TOKENS: Final[dict[SummaryLength, int]] = {"short": 60, "medium": 130, "long": 260}
SUMMARY_INPUT_TOKENS: Final = 1024
MAX_WINDOWS: Final = 8
"""A longer text is read in eight places, spread evenly over it."""


def load_translation(spec: ModelSpec, folder: Path, options: LoadOptions) -> Model[TranslationInput, str]:
    """Return a translator: Marian, NLLB, M2M100, mBART-50, MADLAD-400 or T5, or a folder of one-way models.

    Raises:
        UnsafeModelError: no safetensors.
        ModelError: files are missing or broken.
    """
    if (folder / "config.json").is_file():
        return _load_translator(spec, folder, options)
    inner = sorted(path.parent for path in folder.glob("*/config.json"))
    if not inner:
        raise ModelError(_("The folder {folder} holds no model: there is no config.json in it.", folder=folder.name))
    return Directions([_load_translator(spec, path, options) for path in inner], name=spec.name)


def load_summary(spec: ModelSpec, folder: Path, options: LoadOptions) -> Summariser:
    """Return an abstractive summariser: BART, Pegasus, T5, LED or kin. Raises as `load_translation`."""
    return Summariser(load_network(spec, folder, options), prefix=_summary_prefix(folder))


def _load_translator(spec: ModelSpec, folder: Path, options: LoadOptions) -> Translator:
    network = load_network(spec, folder, options)
    return Translator(network, Scheme.of(network.tokenizer, network.model_type, pair=pair_of(network.tokenizer, spec, folder)))


class Translator:
    """One loaded translation model."""

    batch_rows = BATCH_ROWS

    def __init__(self, network: Network, scheme: Scheme) -> None:
        """Keep the model and how it is told the languages."""
        self._network = network
        self._scheme = scheme

    @property
    def pair(self) -> tuple[str, str] | None:
        """(source, target) of a one-way model, None where it knows several."""
        return self._scheme.pair

    def predict(self, batch: Sequence[TranslationInput]) -> list[str]:
        """Return the translations in order; "" for a text of white space.

        Raises:
            DirectionError: it translates in the other direction alone.
            ModelError: the model does not know the languages, or failed.
        """
        answers = [""] * len(batch)
        groups: dict[tuple[str, str], list[int]] = defaultdict(list)
        for index, item in enumerate(batch):
            if item.text.strip():
                groups[item.source, item.target].append(index)
        for (source, target), indices in groups.items():
            for index, answer in zip(
                indices, self._translate([batch[index].text for index in indices], source, target), strict=True
            ):
                answers[index] = answer
        return answers

    def close(self) -> None:
        """Release the weights."""
        self._network.close()

    def _translate(self, texts: Sequence[str], source: str, target: str) -> list[str]:
        prefix, first_token = self._scheme.direct(source, target, model=self._network.name)
        limit = self._network.positions(MAX_INPUT_TOKENS)
        pieces = [list(_pieces(text, prefix, self._network.count, limit)) for text in texts]
        flat = [prefix + piece for group in pieces for piece in group]
        most = min(limit, self._network.target_positions())
        settings: dict[str, object] = {"num_beams": self._network.beams(), "no_repeat_ngram_size": LOOP_NGRAM}
        if first_token is not None:
            settings["forced_bos_token_id"] = first_token
        produced = iter(self._network.generate(flat, longest=lambda tokens: min(most, 2 * tokens + 16), limit=limit, **settings))
        return [" ".join(filter(None, (next(produced) for _piece in group))) for group in pieces]


class Directions:
    """Several one-way models that are asked as one."""

    batch_rows = BATCH_ROWS

    def __init__(self, translators: Sequence[Translator], *, name: str) -> None:
        """Keep the models by direction; one that knows several languages takes what is left."""
        self._name = name
        self._by_pair = {translator.pair: translator for translator in translators}

    def predict(self, batch: Sequence[TranslationInput]) -> list[str]:
        """Return the translations in order. Raises DirectionError where no model translates in a direction."""
        answers = [""] * len(batch)
        groups: dict[tuple[str, str], list[int]] = defaultdict(list)
        for index, item in enumerate(batch):
            groups[item.source, item.target].append(index)
        for (source, target), indices in groups.items():
            translator = self._by_pair.get((source, target)) or self._by_pair.get(None)
            if translator is None:
                raise unknown_direction(self._name, source, target, [pair for pair in self._by_pair if pair])
            for index, answer in zip(indices, translator.predict([batch[index] for index in indices]), strict=True):
                answers[index] = answer
        return answers

    def close(self) -> None:
        """Release all weights."""
        for translator in self._by_pair.values():
            translator.close()


class Summariser:
    """One loaded abstractive summariser."""

    batch_rows = BATCH_ROWS

    def __init__(self, network: Network, *, prefix: str) -> None:
        """Keep the model and what it wants before a text (T5: "summarize: ")."""
        self._network = network
        self._prefix = prefix

    def predict(self, batch: Sequence[SummaryInput]) -> list[Summary]:
        """Return the summaries in order; `picked` is (). A text over the encoder's window is read in windows."""
        limit = self._network.positions(SUMMARY_INPUT_TOKENS)
        windows = [self._windows(item, limit) for item in batch]
        flat = [window for group in windows for window in group]
        if not flat:
            return [Summary("") for _item in batch]
        most = self._network.target_positions()
        longest = max(
            SUMMARY_TOKENS[item.length] // min(len(group), 2) for item, group in zip(batch, windows, strict=True) if group
        )
        produced = iter(
            self._network.generate(
                flat,
                longest=lambda _tokens: min(longest, most),
                limit=limit,
                num_beams=self._network.beams(),
                no_repeat_ngram_size=3,
            )
        )
        return [
            Summary(self._shorten([next(produced) for _window in group], item))
            for item, group in zip(batch, windows, strict=True)
        ]

    def close(self) -> None:
        """Release the weights."""
        self._network.close()

    def _windows(self, item: SummaryInput, limit: int) -> list[str]:
        windows: list[str] = []
        room, current = limit, ""
        for sentence in item.sentences or (item.text,):
            size = self._network.count(sentence)
            if current and size > room:
                windows.append(current)
                room, current = limit, ""
            current = f"{current} {sentence.strip()}".strip()
            room -= size
        windows.append(current)
        kept = [self._prefix + window for window in windows if window]
        return (
            kept
            if len(kept) <= MAX_WINDOWS
            else [kept[round(i * (len(kept) - 1) / (MAX_WINDOWS - 1))] for i in range(MAX_WINDOWS)]
        )

    def _shorten(self, parts: Sequence[str], item: SummaryInput) -> str:
        """Join the windows' summaries; keep as many from the first and the last inwards as the length allows."""
        budget = 2 * SUMMARY_TOKENS[item.length]
        kept: set[int] = set()
        for index in _inwards(len(parts)):
            size = self._network.count(parts[index])
            if kept and size > budget:
                continue
            kept.add(index)
            budget -= size
        return " ".join(part for index, part in enumerate(parts) if index in kept and part)


def _pieces(text: str, prefix: str, count: Callable[[str], int], limit: int) -> Iterator[str]:
    """Yield `text` in order in pieces that fit into `limit` tokens, cut at the space or sign nearest to the middle."""
    if count(prefix + text) <= limit or len(text) < 2:  # noqa: PLR2004 - one letter cannot be cut
        yield text
        return
    middle = len(text) // 2
    cuts = [at + 1 for at in range(len(text) - 1) if text[at] in " \t\n,;:.!?、。，；：！？"] or [middle]
    cut = min(cuts, key=lambda at: abs(at - middle))
    yield from _pieces(text[:cut].strip(), prefix, count, limit)
    yield from _pieces(text[cut:].strip(), prefix, count, limit)


def _inwards(count: int) -> Iterator[int]:
    """Yield 0, count-1, 1, count-2, ...: what opens a text and what closes it matter most."""
    for step in range(count):
        yield step // 2 if step % 2 == 0 else count - 1 - step // 2


def _summary_prefix(folder: Path) -> str:
    """Return what the model's own configuration sets before a text that is to be summarised, "" for none.

    Source: config.json of google-t5/t5-small, task_specific_params.summarization.prefix.
    """
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        prefix = config["task_specific_params"]["summarization"]["prefix"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return prefix if isinstance(prefix, str) else ""
