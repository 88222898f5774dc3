"""Makes, once, the reader's form out of MiniLM and what it was taught beside (`bot/models/reader-v1.safetensors`).

Owns the child process that needs torch, and the proof. Leaves to `bot.models.export_reader` the export, to `bot.models.made` locks and
renaming, to `bot.models.runtimes.reader` the running.

    folder = prepared_reader(settings.home, report=print)     # makes it where it is missing or damaged
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Final

from bot.config import install_models
from bot.errors import ModelError
from bot.locale import Text, phrases
from bot.models.made import Manifest, Pairs, PreparedFile, made_once, sha256_of, whole, writable
from bot.models.prepare import MINILM_REVISION, prepared_minilm, trusted_source
from bot.models.runtimes.minilm_openvino import WORDS
from bot.models.runtimes.reader_forms import EIGHT_BITS, GRAPH
from bot.sandbox_process import child_environment

_ = phrases(__file__)

Report = Callable[[Text, float], None]

LEARNT: Final = Path(__file__).with_name("reader-v1.safetensors")
FORMAT: Final = 1
"""Raised when the export changes, so that older folders are made anew."""
PREPARED: Final = (GRAPH, EIGHT_BITS, EIGHT_BITS.replace(".xml", ".bin"), WORDS, "tokenizer.json")
MOST_ASTRAY: Final = {"onnxruntime": 0.01, "openvino, eight bits": 0.4}
"""How far odds, and words' marks in the root mean square, may stray from torch's, by engine: pages of chance words, whose marks lie between
-8 and 13. Of eight bits .17 was seen; of 70 real pages, with weights from half way through the training, no odds
strayed further than .14, no sentence's mark further than .35."""
LONGEST_S: Final = 600.0


def prepared_reader(home: Path, *, report: Report | None = None) -> Path:
    """Return the reader's folder: the install's, else the home's; made there where neither has it whole.

    Raises:
        UnsafeModelError: MiniLM's files are not the ones that are trusted.
        ModelError: it could not be made; what was there before still is.
    """
    tell = report or (lambda _text, _done: None)
    try:
        if found := find_reader(home):
            return found
        minilm = prepared_minilm(home, report=tell)
        shared, own = _parents(home)
        target = (shared if writable(shared) else own) / _folder()
        made = made_once(target, lambda making: _made(minilm, making, tell), there=lambda: intact(target, thorough=True))
        _clear_older(made)
    except OSError as error:
        raise ModelError(_not_made(error.strerror or str(error))) from error
    return made


def find_reader(home: Path) -> Path | None:
    """Return the reader's folder if it is there and whole, None else. Quick."""
    return next((parent / _folder() for parent in _parents(home) if intact(parent / _folder())), None)


def intact(folder: Path, *, thorough: bool = False) -> bool:
    """Say whether `folder` holds what its manifest says. By size and time; if the time differs or `thorough`, by sha256."""
    return whole(folder, PREPARED, format=FORMAT, source_sha256=_source(), thorough=thorough)


@cache
def _source() -> str:
    return f"{MINILM_REVISION}-{sha256_of(LEARNT)[:8]}"


def _folder() -> str:
    return f"reader-{_source()}"


def _parents(home: Path) -> tuple[Path, Path]:
    return install_models(), home / "models"


def _clear_older(made: Path) -> None:
    """Delete the folders of what was taught before, and their locks: 80 MB each. A program that still reads one keeps its files open."""
    for old in made.parent.glob(f"reader-{'[0-9a-f]' * len(MINILM_REVISION)}-{'[0-9a-f]' * 8}"):
        if old != made:
            shutil.rmtree(old, ignore_errors=True)
            old.with_name(f"{old.name}.lock").unlink(missing_ok=True)


def _made(minilm: Path, making: Path, tell: Report) -> None:
    tell(_("Making the model that reads; this happens once."), 0.0)
    source = trusted_source(making)
    strays, versions = _run(source, making)
    shutil.rmtree(source)
    for name in (WORDS, "tokenizer.json"):
        _shared(minilm / name, making / name)
    files = tuple(PreparedFile.of(making / name) for name in PREPARED)
    Manifest(FORMAT, _source(), files, strays, versions).write(making)
    tell(_("The model that reads is ready."), 1.0)


def _shared(file: Path, target: Path) -> None:
    """Give a file a second name; copy it where the disk cannot."""
    with suppress(OSError):
        os.link(file, target)
        return
    shutil.copyfile(file, target)


def _run(source: Path, making: Path) -> tuple[Pairs[float], Pairs[str]]:
    """Export in a child, whose memory is gone with it; return how far each engine strays, and what made it."""
    program = Path(__file__).with_name("export_reader.py")
    environment = {**child_environment(), "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "PYTHONWARNINGS": "ignore"}
    try:
        done = subprocess.run(  # noqa: S603 - this interpreter, and a file of ours
            [sys.executable, "-P", str(program), str(source), str(LEARNT), str(making)],
            capture_output=True, encoding="utf-8", check=False, timeout=LONGEST_S, env=environment,
        )  # fmt: skip
        said = json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else {}
        strays, versions = dict(said.get("strays", {})), dict(said.get("versions", {}))
    except (subprocess.TimeoutExpired, ValueError, IndexError) as error:
        raise ModelError(_not_made(type(error).__name__)) from error
    if done.returncode != 0:
        raise ModelError(_not_made((done.stderr.strip().splitlines() or [f"exit {done.returncode}"])[-1][:300]))
    for engine, most in MOST_ASTRAY.items():
        if not strays.get(engine, most + 1) <= most:  # so that NaN is refused too
            raise ModelError(_not_made(f"{engine}: {strays.get(engine)} > {most}"))
    return tuple(sorted(strays.items())), tuple(sorted({**versions, "tokenizers": version("tokenizers")}.items()))


def _not_made(reason: str) -> Text:
    return _("The model that reads could not be made ({reason}). Nothing was changed; run `paring doctor`.", reason=reason)
