"""Makes, once, a static embedder out of MiniLM: one vector for each token of its vocabulary, so that a text is a weighted mean of rows.

Owns the recipe and its child process (the vectors of 30,000 tokens take some 20 s of one core). Leaves to `bot.models.made` locks
and renaming, to `bot.models.prepare` MiniLM itself, to `bot.models.runtimes.static` the running.

    folder = prepared_static(settings.home, report=print)     # makes it where it is missing or damaged

The recipe: each token alone through MiniLM, after [CLS] and without [SEP] (with it all tokens look alike); the mean taken away and
the 256 strongest principal components kept, the strongest of them lowered (a component over its variance to the power of a quarter);
each row weighed by how rare its token is (smooth inverse frequency; the vocabulary stands in order of frequency, so a token's place
tells it, by Zipf's law), pieces of words a little less than words, punctuation not at all; rows in eight bits. No text but the
tokenizer's own vocabulary takes part.

Source: Model2Vec (https://github.com/MinishLab/model2vec, "How it works"); Arora, Liang and Ma, A Simple but Tough-to-Beat Baseline
for Sentence Embeddings (2017), section 3, for the weights.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from bot.config import install_models
from bot.errors import ModelError
from bot.locale import Text, phrases
from bot.models.made import Manifest, PreparedFile, made_once, whole, writable
from bot.models.prepare import MINILM_REVISION, prepared_minilm
from bot.sandbox_process import child_environment

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

_ = phrases(__file__)

Report = Callable[[Text, float], None]
Rows = NDArray[np.float32]

FORMAT: Final = 1
"""Raised when the recipe's file changes, so that older folders are made anew. Other vectors are another model: its name changes."""
TABLE: Final = "static.safetensors"
PREPARED: Final = (TABLE, "tokenizer.json")
DIMENSION: Final = 256
RARITY: Final = 1e-4
"""The `a` of smooth inverse frequency, a / (a + p)."""
FLATTENING: Final = 0.25
PIECE_WEIGHT: Final = 0.7
"""What a piece within a word (`##ing`) counts beside a word: such a word has several rows."""
PLACE_OF_LETTERS: Final = 500
"""Single letters and digits stand before all words in the vocabulary, in no order of frequency; they are weighed as a word at this place."""
ZIPF_SHIFT: Final = 2.7
"""Source: Mandelbrot's form of Zipf's law, p ~ 1 / (rank + 2.7)."""
AT_ONCE: Final = 256
LEAST_CORRELATION: Final = 0.5
"""How far its cosines must go with MiniLM's over PROBES; seen .71."""
LONGEST_S: Final = 900.0
_FOLDER: Final = f"static-{MINILM_REVISION}"
PROBES: Final = (
    "When does the office open?", "Our opening hours are from nine to five.", "The office closes early on Fridays.",
    "How do I reset my password?", "Passwords are changed on the account page.", "I cannot sign in to my account.",
    "The train to the coast leaves at noon.", "Which platform does the train leave from?", "The bus was late because of the snow.",
    "Add two cups of flour and stir well.", "What goes into the soup?", "Bake the bread for forty minutes.",
    "The contract ends on the last day of June.", "How long is the notice period of the lease?", "Rent is due on the first of each month.",
    "The server ran out of disk space.", "Why is the database slow today?", "Restart the service after the update.",
    "She plays the violin in an orchestra.", "Who wrote this piece of music?", "The concert was sold out within an hour.",
    "Patients should take the tablets with water.", "What are the side effects of the drug?", "The clinic is closed on Sundays.",
    "The committee approved the budget.", "How much money was spent on travel?", "Send the invoice to the accounting department.",
    "A dog is running on the beach.", "Two cats sleep on the sofa.", "Birds fly south in the autumn.",
    "The wing produces lift at low speed.", "Heat flows from the hot plate into the air.", "Measure the pressure in the tunnel.",
    "Who was the first president?", "The war ended in the spring of that year.", "The city was founded by traders.",
)  # fmt: skip
"""Everyday sentences, three of a kind: near and far pairs, over which static cosines are compared with MiniLM's."""


def prepared_static(home: Path, *, report: Report | None = None) -> Path:
    """Return the folder of the static embedder: the install's, else the home's; made there where neither has it whole.

    Raises:
        ModelError: it could not be made; what was there before still is.
    """
    shared, own = _parents(home)
    return find_static(home) or _make(shared if writable(shared) else own, home, report or (lambda _text, _done: None))


def find_static(home: Path) -> Path | None:
    """Return the folder of the static embedder if it is there and whole, None else. Quick."""
    return next((parent / _FOLDER for parent in _parents(home) if intact(parent / _FOLDER)), None)


def intact(folder: Path, *, thorough: bool = False) -> bool:
    """Say whether `folder` holds what its manifest says. By size and time; if the time differs or `thorough`, by sha256."""
    return whole(folder, PREPARED, format=FORMAT, source_sha256=MINILM_REVISION, thorough=thorough)


def _parents(home: Path) -> tuple[Path, Path]:
    return install_models(), home / "models"


def _make(parent: Path, home: Path, tell: Report) -> Path:
    source = prepared_minilm(home, report=tell)
    target = parent / _FOLDER
    try:
        return made_once(target, lambda making: _made(source, making, tell), there=lambda: intact(target, thorough=True))
    except OSError as error:
        raise ModelError(
            _("The small embedding model could not be written to disk ({reason}). Make room, then start again.",
              reason=error.strerror or str(error))
        ) from error  # fmt: skip


def _made(source: Path, making: Path, tell: Report) -> None:
    tell(_("Preparing the small embedding model; this happens once."), 0.0)
    correlation = _run(source, making, tell)
    shutil.copyfile(source / "tokenizer.json", making / "tokenizer.json")
    files = tuple(PreparedFile.of(making / name) for name in PREPARED)
    versions = tuple((name, version(name)) for name in ("numpy", "onnxruntime", "tokenizers"))
    Manifest(FORMAT, MINILM_REVISION, files, (("correlation", correlation),), versions).write(making)
    tell(_("The small embedding model is ready."), 1.0)


def _run(source: Path, making: Path, tell: Report) -> float:
    """Distil in a child, whose memory is gone with it; return how far its cosines go with MiniLM's."""
    command = [sys.executable, "-m", "bot.models.distil", str(source), str(making)]
    tell(_("Distilling it from MiniLM …"), 0.1)
    try:
        done = subprocess.run(  # noqa: S603 - this interpreter, and this module
            command, capture_output=True, encoding="utf-8", check=False, timeout=LONGEST_S, cwd=Path(__file__).parents[2],
            env=child_environment(),
        )  # fmt: skip
        correlation = float(json.loads(done.stdout)["correlation"]) if done.returncode == 0 else 0.0
    except (subprocess.TimeoutExpired, ValueError, KeyError) as error:
        raise ModelError(_not_made(type(error).__name__)) from error
    if done.returncode != 0:
        raise ModelError(_not_made((done.stderr.strip().splitlines() or [f"exit {done.returncode}"])[-1][:300]))
    if not correlation >= LEAST_CORRELATION:  # so that NaN is refused too
        raise ModelError(_not_made(f"correlation {correlation:.2f} < {LEAST_CORRELATION}"))
    return correlation


def _not_made(reason: str) -> Text:
    return _("The small embedding model could not be made ({reason}). Nothing was changed; run `paring doctor`.", reason=reason)


# ---------------------------------------------------------------------- the child


def distil(source: Path, target: Path) -> float:
    """Write the table into `target` from MiniLM's prepared form in `source`; return the correlation of cosines over PROBES."""
    from safetensors.numpy import save_file  # noqa: PLC0415 - only where one distils
    from tokenizers import Tokenizer  # noqa: PLC0415

    from bot.models.runtimes.static import pooled  # noqa: PLC0415 - the arithmetic that it will be run with

    tokenizer = Tokenizer.from_file(str(source / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    encode = _minilm(source)
    names = [str(tokenizer.id_to_token(number)) for number in range(tokenizer.get_vocab_size())]
    weights = weigh(names)
    known = np.flatnonzero(weights)
    rows = np.zeros((len(names), DIMENSION))
    rows[known] = project(_token_vectors(encode, known, first=names.index("[CLS]"))) * weights[known, None]
    vectors, scales = in_eight_bits(rows)
    save_file({"vectors": vectors, "scales": scales}, target / TABLE)
    static = pooled(vectors, scales, [one.ids for one in _encoded(tokenizer, special=False)])
    original = np.concatenate([encode(np.array([one.ids])) for one in _encoded(tokenizer, special=True)])
    pairs = np.triu_indices(len(PROBES), 1)
    return float(np.corrcoef((static @ static.T)[pairs], (original @ original.T)[pairs])[0, 1])


def weigh(names: Sequence[str]) -> NDArray[np.float64]:
    """Return float64 (n,): what each token of the vocabulary counts, 0 for what is never looked at (markers, punctuation)."""
    weights: NDArray[np.float64]
    bare = [name.removeprefix("##") for name in names]
    marker = np.array([len(name) > 1 and name.startswith("[") and name.endswith("]") for name in names])
    letter = np.array([len(name) == 1 for name in bare])
    word = ~marker & ~letter
    place = np.where(letter, PLACE_OF_LETTERS, np.cumsum(word))
    chance = np.where(marker, 0, 1 / (place + ZIPF_SHIFT))
    weights = RARITY / (RARITY + chance / chance.sum())
    weights[np.array([name.startswith("##") for name in names])] *= PIECE_WEIGHT
    weights[marker | (letter & ~np.array([name.isalnum() for name in bare]))] = 0
    return weights


def project(rows: Rows) -> NDArray[np.float64]:
    """Return float64 (n, DIMENSION): the strongest principal components of float32 (n, d), evened; the same on every machine."""
    centred = rows.astype(np.float64) - rows.mean(axis=0, dtype=np.float64)
    variances, axes = np.linalg.eigh(centred.T @ centred / len(rows))
    strongest = np.argsort(-variances)[:DIMENSION]
    axes = axes[:, strongest]
    axes *= np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(DIMENSION)])  # an axis has no direction of its own
    found: NDArray[np.float64] = centred @ axes / variances[strongest] ** FLATTENING
    return found


def in_eight_bits(rows: NDArray[np.float64]) -> tuple[NDArray[np.int8], Rows]:
    """Return int8 (n, d) and float32 (n,): rows are their product."""
    scales = np.abs(rows).max(axis=1) / 127
    vectors = np.rint(rows / np.maximum(scales, 1e-30)[:, None]).astype(np.int8)
    return vectors, scales.astype(np.float32)


def _minilm(source: Path) -> Callable[[NDArray[np.int64]], Rows]:
    """Return MiniLM in float32 on one thread, whatever the processor has: int64 (n, t), no padding, to float32 (n, 384)."""
    import onnxruntime  # noqa: PLC0415 - only where one distils

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(source / "minilm.onnx"), options, providers=["CPUExecutionProvider"])

    def encode(ids: NDArray[np.int64]) -> Rows:
        rows: Rows = session.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})[0]
        return rows

    return encode


def _token_vectors(encode: Callable[[NDArray[np.int64]], Rows], tokens: NDArray[np.int64], *, first: int) -> Rows:
    parts = [tokens[start : start + AT_ONCE] for start in range(0, len(tokens), AT_ONCE)]
    return np.concatenate([encode(np.stack([np.full(len(part), first), part], axis=1).astype(np.int64)) for part in parts])


def _encoded(tokenizer: Tokenizer, *, special: bool) -> list[Encoding]:
    return list(tokenizer.encode_batch_fast(list(PROBES), add_special_tokens=special))


if __name__ == "__main__":
    print(json.dumps({"correlation": distil(Path(sys.argv[1]), Path(sys.argv[2]))}))  # noqa: T201 - the pipe to the parent
