"""The router's head, made once of what it is made of, and kept by the hash of that.

Owns: what the hash covers (every skill's utterances, people's own labels, the embedder, the code's version), where heads lie, and
the child process that trains one, so that neither scipy nor the examples stay in the bot's memory. Leaves the learning to
`bot.models.heads.train`.

    folder = prepared_head(settings, report=print)        # trains where nothing fits; else a few milliseconds
    prepared_head(settings, "route.words.v1")             # another head: `HEADS`
    keep_feedback(settings.home, [Feedback("where is the plan", "en", "search")])
    if (newer := stale(settings)): ...                    # `prepared_head(settings, newest=True)` takes the labels in
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from bot.config import Settings, install_models
from bot.errors import ModelError
from bot.locale import LANGUAGES, Language, Text, phrases
from bot.models.heads import features
from bot.models.heads.utterances import Example, Source, digest, read_utterances, sources, unfold
from bot.models.made import alone, writable
from bot.models.memory import cores
from bot.models.runtimes.linear_head import read_head, write_head
from bot.sandbox_process import child_environment

if TYPE_CHECKING:
    from bot.models.heads.train import Embed, Sees

_ = phrases(__file__)

Report = Callable[[Text, float], None]
"""Called with a sentence and how much is done, 0..1."""

VERSION: Final = f"3.{features.VERSION}"
"""Raised when training changes, so that a kept head is made anew."""
BOTH: Final = "route.linear.v1"
HEADS: Final[dict[str, Sees]] = {BOTH: "both", "route.words.v1": "words", "route.vectors.v1": "vectors"}
"""The heads that are trained here, by the name of their preset."""
FEEDBACK: Final = "route-labels.jsonl"
FEEDBACK_WEIGHT: Final = 2.0
"""How much one label of a person counts beside one line of an utterances.yaml."""
NO_FEEDBACK: Final = "0"
KEPT: Final = 6
"""Heads that stay on disk, the newest: of two embedders each of HEADS, 3 MB."""
LONGEST_S: Final = 900.0
EMBEDDED_AT_ONCE: Final = 256
"""Texts that one thread embeds in a row, the shortest first."""
_PREFIX: Final = "route-"


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a person said a text is for."""

    text: str
    language: Language
    label: str


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a head is made of, as hashes: `base` of utterances, embedder and code, `labels` of people's own labels."""

    base: str
    labels: str

    @property
    def folder(self) -> str:
        """The name of the head's folder."""
        return f"{_PREFIX}{self.base}-{self.labels}"


def prepared_head(settings: Settings, name: str = BOTH, *, newest: bool = False, report: Report | None = None) -> Path:
    """Return the folder of a whole head of HEADS for the live embedder, trained where there is none.

    A head that lacks the newest labels of people will do, unless `newest` is asked for.

    Raises:
        ModelError: it could not be made, or an utterances.yaml is wrong.
    """
    wanted = recipe(settings, name)
    found = _find(settings.home, wanted, exact=newest)
    return found or _make(settings, wanted, HEADS[name], report or (lambda _text, _done: None))


def stale(settings: Settings, name: str = BOTH) -> bool:
    """Say whether people's labels came in after the head that is kept. Quick; reads the disk."""
    return _find(settings.home, recipe(settings, name), exact=True) is None


def recipe(settings: Settings, name: str = BOTH) -> Recipe:
    """Return the hashes of what a head is made of now."""
    sees = HEADS[name]
    made_of = [VERSION, digest(sources()), "" if sees == "words" else _embedder(settings)]
    said = json.dumps(made_of if sees == "both" else [*made_of, sees])
    feedback = _feedback_file(settings.home)
    labels = hashlib.sha256(feedback.read_bytes()).hexdigest()[:12] if feedback.is_file() else NO_FEEDBACK
    return Recipe(hashlib.sha256(said.encode()).hexdigest()[:12], labels)


def keep_feedback(home: Path, labels: Iterable[Feedback]) -> None:
    """Write people's labels where the next training finds them; the same labels leave the file as it is."""
    lines = [json.dumps([label.text, label.language, label.label], ensure_ascii=True) for label in labels]
    text = "".join(f"{line}\n" for line in lines)
    file = _feedback_file(home)
    if text == (file.read_text(encoding="utf-8") if file.is_file() else ""):
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    aside = file.with_suffix(".new")
    aside.write_text(text, encoding="utf-8")
    aside.replace(file)


def read_feedback(home: Path) -> list[Feedback]:
    """Return the labels that `keep_feedback` wrote; a line that is none is left out."""
    file = _feedback_file(home)
    found: list[Feedback] = []
    for line in file.read_text(encoding="utf-8").splitlines() if file.is_file() else []:
        try:
            text, language, label = json.loads(line)
        except ValueError:
            continue
        if language in LANGUAGES and text and label:
            found.append(Feedback(str(text), language, str(label)))
    return found


def prepare_head(
    parent: Path,
    name: str,
    *,
    embed: Embed,
    embedder: str,
    files: Sequence[Source] | None = None,
    feedback: Sequence[Feedback] = (),
    sees: Sees = "both",
) -> Path:
    """Train on the lines of `files` (of all that are installed by default) and `feedback`; return the head's folder.

    Written aside and renamed: a folder of that name is whole or not there. The caller holds the lock.
    """
    from bot.models.heads.train import train  # noqa: PLC0415 - scipy, only where one trains

    head = train(with_feedback(unfold(read_utterances(files)), feedback), embed, embedder=embedder, sees=sees)
    target = parent / name
    making = Path(tempfile.mkdtemp(prefix=f"{name}.making-", dir=parent))
    try:
        write_head(replace(head, made_of=name), making)
        making.chmod(0o755)
        shutil.rmtree(target, ignore_errors=True)
        making.replace(target)
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return target


def with_feedback(examples: Sequence[Example], feedback: Sequence[Feedback]) -> list[Example]:
    """Return the examples and people's labels, each a family of its own; labels that no skill has any more are left out."""
    known = {example.label for example in examples}
    first = max((example.family for example in examples), default=-1) + 1
    own = [
        Example(one.text, one.label, one.language, first + index, FEEDBACK_WEIGHT)
        for index, one in enumerate(feedback)
        if one.label in known
    ]
    return [*examples, *own]


def _find(home: Path, wanted: Recipe, *, exact: bool) -> Path | None:
    """Return a whole head: of the very recipe, else (not `exact`) one that lacks the newest labels. A damaged one is passed over."""
    shared, own = _parents(home)
    folders = [parent / wanted.folder for parent in (shared, own)]
    if not exact:
        folders += sorted(own.glob(f"{_PREFIX}{wanted.base}-*"), key=_changed, reverse=True)
        folders.append(shared / replace(wanted, labels=NO_FEEDBACK).folder)
    return next((folder for folder in folders if folder.suffix == "" and folder.is_dir() and _whole(folder)), None)


def _whole(folder: Path) -> bool:
    try:
        read_head(folder)
    except ModelError:
        return False
    return True


def _make(settings: Settings, wanted: Recipe, sees: Sees, report: Report) -> Path:
    parent = _parent(settings.home, wanted)
    try:
        parent.mkdir(parents=True, exist_ok=True)
        with alone(parent / f"{_PREFIX}{wanted.base}.lock"):
            if found := _find(settings.home, wanted, exact=True):
                return found
            report(_("Training the router; this happens once."), 0.0)
            _train_in_child(settings, parent, wanted, sees)
            _forget_old(parent)
    except OSError as error:
        raise ModelError(
            _("The router could not be written to disk ({reason}). Make room, then start again.",
              reason=error.strerror or str(error))
        ) from error  # fmt: skip
    report(_("The router is ready."), 1.0)
    return parent / wanted.folder


def _train_in_child(settings: Settings, parent: Path, wanted: Recipe, sees: Sees) -> None:
    said = json.dumps({
        "home": str(settings.home),
        "choose": settings.models.choose,
        "folder": str(settings.models.folder or ""),
        "engine": settings.models.embed_engine,
        "parent": str(parent),
        "name": wanted.folder,
        "sees": sees,
    })  # fmt: skip
    try:
        done = subprocess.run(
            [sys.executable, "-m", "bot.models.heads.build"],
            input=said, encoding="utf-8", capture_output=True, timeout=LONGEST_S, check=False,
            env=child_environment(),
            cwd=Path(__file__).parents[3],
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise ModelError(
            _("The router could not be trained in {seconds} s. Run `paring doctor`.", seconds=int(LONGEST_S))
        ) from error
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or [f"exit {done.returncode}"])[-1]
        raise ModelError(
            _("The router could not be trained ({reason}). Nothing was changed; run `paring doctor`.", reason=reason)
        )


def _main() -> None:
    """Train one head, as the JSON on standard input says: the child of `_train_in_child`."""
    said = json.load(sys.stdin)
    models = {"choose": said["choose"], "folder": said["folder"] or None, "embed_engine": said["engine"]}
    settings = Settings(home=Path(said["home"]), models=models)
    prepare_head(
        Path(said["parent"]),
        said["name"],
        embed=_no_vectors if said["sees"] == "words" else _embed_with(settings),
        embedder=_embedder(settings),
        feedback=read_feedback(settings.home),
        sees=said["sees"],
    )


def _no_vectors(texts: Sequence[str]) -> NDArray[np.float32]:
    """Embed nothing: a head of words alone is trained without an embedder."""
    return np.zeros((len(texts), 0), np.float32)


def _embed_with(settings: Settings) -> Embed:
    """Return the live embedder of `settings`, loaded here."""
    from bot.models.catalogue import Catalogue  # noqa: PLC0415 - it knows the runtimes, which know this package
    from bot.models.fetch import resolve  # noqa: PLC0415
    from bot.models.spec import LoadOptions  # noqa: PLC0415

    catalogue = Catalogue(settings)
    spec = catalogue.default("embed")
    if spec is None:
        raise ModelError(_("The router needs an embedding model to be trained with, and none is installed. Run `paring doctor`."))
    place = resolve(spec, settings)
    options = LoadOptions(threads=cores(), embed_engine=settings.models.embed_engine)
    model = catalogue.families.loader(spec.family)(place.spec, place.folder, options)

    def embed(texts: Sequence[str]) -> NDArray[np.float32]:
        order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
        slices = [order[start : start + EMBEDDED_AT_ONCE] for start in range(0, len(order), EMBEDDED_AT_ONCE)]
        with ThreadPoolExecutor(getattr(model, "workers", 1)) as workers:
            found = list(workers.map(lambda some: model.predict([texts[index] for index in some]), slices))
        rows = dict(zip(order, chain.from_iterable(found), strict=True))
        return np.stack([np.asarray(rows[index], np.float32) for index in range(len(texts))])

    return embed


def _embedder(settings: Settings) -> str:
    from bot.models.catalogue import Catalogue  # noqa: PLC0415

    spec = Catalogue(settings).default("embed")
    return spec.identity if spec else ""


def _parents(home: Path) -> tuple[Path, Path]:
    return install_models(), home / "models"


def _parent(home: Path, wanted: Recipe) -> Path:
    """Return where a head is made: beside the install, except one that people's labels of one home are in."""
    shared, own = _parents(home)
    return shared if wanted.labels == NO_FEEDBACK and writable(shared) else own


def _feedback_file(home: Path) -> Path:
    return home / "models" / FEEDBACK


def _forget_old(parent: Path) -> None:
    heads = sorted((path for path in parent.glob(f"{_PREFIX}*-*") if path.is_dir()), key=_changed, reverse=True)
    for old in heads[KEPT:]:
        shutil.rmtree(old, ignore_errors=True)


def _changed(folder: Path) -> float:
    return folder.stat().st_mtime


if __name__ == "__main__":
    _main()
