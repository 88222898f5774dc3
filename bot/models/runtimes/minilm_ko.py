"""MiniLM for English, and what we have taught it beside for the Korean that it has never learnt, in one space.

Owns what is given to which. Leaves to `bot.models.runtimes.minilm` the English, to `bot.models.runtimes.hangul` a table of Korean, to
`bot.models.runtimes.hangul_inputs` Korean as MiniLM's own input. A Korean question finds an English passage and the other way about;
English vectors are MiniLM's own. A Korean text's is the mean of what MiniLM's body makes of it and of what the table says: the one knows
what stands beside a word, the other the whole of a long text, and its names. The models of homes from before have the table alone.

    model = load(spec, prepared_minilm(home), LoadOptions())
    vectors = model.predict(["Where is the wiki?", "위키는 어디에 있나요?"])
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import partial
from importlib.resources import as_file, files
from pathlib import Path
from typing import Final
from weakref import WeakValueDictionary

import numpy as np

from bot import lazy
from bot.errors import ModelError
from bot.locale import phrases
from bot.models.runtimes import minilm
from bot.models.runtimes.hangul import Rows, Table, table_of
from bot.models.runtimes.hangul_inputs import Inputs, Learnt
from bot.models.spec import LoadOptions, ModelSpec
from bot.models.tasks import Vector

_ = phrases(__file__)

TABLES: Final = {"embed.minilm-ko.v1": "hangul-v1.safetensors", "embed.minilm-ko.v2": "hangul-v2.safetensors"}
"""Of the models that homes from before were made with, which have a table alone; all others have TABLE."""
TABLE: Final = "hangul-v3.safetensors"
KOREAN_FROM: Final = 0.6
"""Share of Hangul among the letters from which a text is Korean with foreign words in it: the table knows these as well."""
LENGTH_OF_SYLLABLE: Final = 2.5
"""Latin letters that say as much as a syllable of Hangul."""

_SHARED: Final[WeakValueDictionary[str, Inputs]] = WeakValueDictionary()
_SHARING: Final = threading.Lock()
_HANGUL = lazy.compile("[\uac00-\ud7a3]+")
_LETTER = lazy.compile(r"[^\W\d_\uac00-\ud7a3]")


class Bilingual:
    """A loaded MiniLM and a table of Korean. `workers` threads may call `predict` at once."""

    def __init__(self, english: minilm.MiniLM, korean: Table, inputs: Inputs | None = None) -> None:
        """Keep both, and what Korean is to MiniLM itself; None where the table alone knows it."""
        self.workers, self.bulk_workers = english.workers, english.bulk_workers
        self.batch_rows, self.slice_weight = english.batch_rows, english.slice_weight
        self._english = english
        self._korean: Table | None = korean
        self._inputs = inputs

    def predict(self, batch: Sequence[str]) -> list[Vector]:
        """Return float32 (384,), unit length, for each text, in order; an empty text has a vector too.

        Raises:
            ModelError: the model was closed.
        """
        korean, inputs, body = self._korean, self._inputs, self._english.body
        if korean is None or (inputs is not None and body is None):
            raise ModelError(_("The embedding model was unloaded while it was asked. Nothing was lost; please ask again."))
        texts = [minilm.readable(text) for text in batch]
        shares = [hangul_share(text) for text in texts]
        vectors: list[Vector] = [np.zeros(0, np.float32)] * len(texts)
        if inputs is not None and body is not None:
            return self._never_nothing(self._read(texts, shares, korean, inputs, body))
        latin = [place for place, share in enumerate(shares) if share < KOREAN_FROM]
        spoken = self._english.predict([_HANGUL.sub(" ", texts[place]) if shares[place] else texts[place] for place in latin])
        for place, vector in zip(latin, spoken, strict=True):
            vectors[place] = vector
        hangul = [place for place, share in enumerate(shares) if share]
        for place, row in zip(hangul, korean.vectors([texts[place] for place in hangul]), strict=True):
            vectors[place] = row if shares[place] >= KOREAN_FROM else _mixed(row, vectors[place], shares[place])
        return self._never_nothing(vectors)

    def weigh(self, batch: Sequence[str]) -> list[int]:
        """Return how many tokens of MiniLM each text is; to a table a Korean one costs none."""
        if self._inputs is not None:
            others = self._english.weigh([_HANGUL.sub(" ", text) for text in batch])
            return [one + _morphemes_in(text) for text, one in zip(batch, others, strict=True)]
        return [
            one if hangul_share(text) < KOREAN_FROM else 1 for text, one in zip(batch, self._english.weigh(batch), strict=True)
        ]

    def close(self) -> None:
        """Let go of all."""
        self._english.close()
        self._korean = self._inputs = None

    def _read(
        self, texts: Sequence[str], shares: Sequence[float], table: Table, inputs: Inputs, body: minilm.Body
    ) -> list[Vector]:
        """Return the vectors of texts: of those without Hangul MiniLM's own, of all others the mean of its body's and the table's."""
        vectors: list[Vector] = [np.zeros(0, np.float32)] * len(texts)
        latin = [place for place, share in enumerate(shares) if not share]
        for place, vector in zip(latin, self._english.predict([texts[place] for place in latin]), strict=True):
            vectors[place] = vector
        if hangul := [place for place, share in enumerate(shares) if share]:
            some = [texts[place] for place in hangul]
            for place, read, row in zip(hangul, body(inputs.rows(some)), table.vectors(some), strict=True):
                vectors[place] = _unit(read + row * (1.0 if shares[place] >= KOREAN_FROM else shares[place]))
        return vectors

    def _never_nothing(self, vectors: list[Vector]) -> list[Vector]:
        """Give a text of which no term is known what an empty one has."""
        if all(vector.any() for vector in vectors):
            return vectors
        (empty,) = self._english.predict([""])
        return [vector if vector.any() else empty for vector in vectors]


def load(spec: ModelSpec, folder: Path, options: LoadOptions) -> Bilingual:
    """Return MiniLM from its prepared `folder`, and the table that comes with Paring for `spec`.

    Raises:
        ModelError: the chosen engine cannot run here, or the table cannot be read.
    """
    from safetensors import SafetensorError  # noqa: PLC0415 - a leaf's library

    english = minilm.load(spec, folder, options)
    try:
        with as_file(files("bot.models") / TABLES.get(spec.name, TABLE)) as file:
            return bilingual(english, file)
    except (OSError, KeyError, ValueError, SafetensorError) as error:
        english.close()
        raise ModelError(_("The Korean half of the embedding model cannot be read. Install Paring again.")) from error


def bilingual(english: minilm.MiniLM, file: Path) -> Bilingual:
    """Return MiniLM with the Korean of a file: a table alone, or what was learnt beside it. Raises OSError, KeyError, SafetensorError."""
    from safetensors.numpy import load_file  # noqa: PLC0415 - a leaf's library

    tensors = load_file(file)
    table = table_of(tensors)
    body = english.body
    if body is None or "into" not in tensors:
        return Bilingual(english, table)
    make = partial(Inputs, table, Learnt.read(tensors), body.words, english.tokenizer)
    inputs = shared_inputs(make) if file.name == TABLE else make()
    return Bilingual(english, inputs.table, inputs)


def shared_inputs(make: Callable[[], Inputs]) -> Inputs:
    """Return Korean as TABLE has it: the one that another model holds, else what `make` makes: a file of 22 MB, the same for all."""
    with _SHARING:
        inputs = _SHARED.get(TABLE)
        if inputs is None:
            inputs = _SHARED[TABLE] = make()
        return inputs


def hangul_share(text: str) -> float:
    """Return how much of what `text` says is said in Hangul, 0..1."""
    if text.isascii():
        return 0.0
    korean = LENGTH_OF_SYLLABLE * sum(map(len, _HANGUL.findall(text)))
    return korean / (korean + len(_LETTER.findall(text))) if korean else 0.0


def _morphemes_in(text: str) -> int:
    """Return about how many morphemes with a meaning a text has: one for each two syllables."""
    return 0 if text.isascii() else sum(map(len, _HANGUL.findall(text))) // 2


def _mixed(korean: Rows, english: Vector, share: float) -> Vector:
    return _unit(share * korean + (1 - share) * english)


def _unit(row: Vector) -> Vector:
    unit: Vector = row / np.maximum(np.linalg.norm(row), np.float32(1e-12))
    return unit
