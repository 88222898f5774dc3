"""Models that do harm, each by the word in its spec's `location`; and a gate for the slot `letters`. They run in a probe's child only."""

import ctypes
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from importlib.metadata import entry_points
from pathlib import Path

from bot.errors import ModelError
from bot.locale import Text
from bot.models.spec import LoadOptions, ModelSpec
from bot.models.trial import Embed, Scored
from bot.skill import Slot

CASES = ("one", "two", "three", "넷", "다섯")
_turn = itertools.count()


class LettersGate:
    slot: Slot[str, str] = Slot("letters")
    metric = "share right"
    tolerance = 0.1

    def canaries(self) -> Sequence[str]:
        return ("Hello.", "안녕하세요.")

    def fault(self, inputs: Sequence[str], outputs: Sequence[str], languages: Sequence[str]) -> Text | None:
        return None if all(isinstance(one, str) for one in outputs) else Text("It answers with what is no text.")

    def count(self, languages: Sequence[str]) -> int:
        return len(CASES)

    def evaluate(self, predict: Callable[[Sequence[str]], list[str]], embed: Embed, languages: Sequence[str]) -> list[Scored]:
        answers = predict(CASES)
        return [
            Scored(case, "en", float(answer == case.upper()), case, answer) for case, answer in zip(CASES, answers, strict=True)
        ]


class Model:
    def __init__(self, answer: Callable[[str], object]) -> None:
        self._answer = answer

    def predict(self, batch: Sequence[str]) -> list[object]:
        return [self._answer(one) for one in batch]

    def close(self) -> None:
        pass


class Deaf(Model):
    def predict(self, batch: Sequence[str]) -> list[object]:
        return []


def load(spec: ModelSpec, folder: Path, _options: LoadOptions) -> Model:
    return LOADS[spec.location](folder)


def _segfault(*_given: object) -> Model:
    os.kill(os.getpid(), signal.SIGSEGV)
    raise AssertionError


def _hang(*_given: object) -> Model:
    threading.Event().wait()
    raise AssertionError


def _eat(_folder: Path) -> Model:
    held = [bytearray(b"x" * (16 << 20)) for _turn in range(400)]
    return Model(lambda one: f"{one}{len(held)}")


def _print(_folder: Path) -> Model:
    for _turn in range(300):
        os.write(1, b"x" * (1 << 20))
        os.write(2, b"x" * (1 << 20))
    sys.stdout.write("printed\n")
    return Model(str.upper)


def _pipe(data: bytes) -> Callable[[Path], Model]:
    def write(_folder: Path) -> Model:
        for number in range(3, 30):
            try:
                os.write(number, data)
            except OSError:
                continue
        return Model(str.upper)

    return write


def _frame(message: object) -> bytes:
    said = json.dumps(message).encode()
    return len(said).to_bytes(4, "big") + said


def _fork(folder: Path) -> Model:
    refused = []
    for way in (os.fork, lambda: subprocess.run(["true"], check=False), lambda: ctypes.CDLL(None, use_errno=True).fork()):
        try:
            if way() == -1:
                refused.append("-1")
        except OSError as error:
            refused.append(type(error).__name__)
    return Model(lambda _one: " ".join(refused))


def _reach(_folder: Path) -> Model:
    def tried(_one: str) -> str:
        said = []
        for family, address in ((socket.AF_INET, ("127.0.0.1", 9)), (socket.AF_UNIX, "/tmp/none")):  # noqa: S108
            try:
                socket.socket(family).connect(address)
            except OSError as error:
                said.append(type(error).__name__)
        try:
            os.kill(os.getppid(), 0)
        except OSError as error:
            said.append(type(error).__name__)
        return " ".join(said)

    return Model(tried)


def _write(folder: Path) -> Model:
    said = []
    for place in (folder, Path(os.environ["HOME"]), Path(__file__).parent):
        try:
            (place / "left-behind").write_text("x", encoding="ascii")
            said.append("written")
        except OSError as error:
            said.append(type(error).__name__)
    return Model(lambda _one: " ".join(said))


def _raise(_folder: Path) -> Model:
    message = "secret\x00 of the file"
    raise RuntimeError(message)


def _tell(_folder: Path) -> Model:
    raise ModelError(Text("The weights are of another model."))


def _crash_later(_folder: Path) -> Model:
    return Model(lambda one: _segfault() if one == "three" else one.upper())


def _leave(_folder: Path) -> Model:
    os._exit(0)


GOOD = {"metric": "m", "scored": [], "load_s": 1.0, "p50_ms": 1.0, "p95_ms": 1.0, "ram_mb": 1, "fault": {}}
LOADS: dict[str, Callable[[Path], Model]] = {
    "good": lambda _folder: Model(str.upper),
    "segfault": _segfault,
    "hang": _hang,
    "eat": _eat,
    "print": _print,
    "garbage": _pipe(b"\xff" * 64),
    "no json": _pipe(b"\0\0\0\x02{]"),
    "no mapping": _pipe(_frame([1])),
    "wrong score": _pipe(
        _frame({"found": {**GOOD, "scored": [{"case": "a", "language": "en", "score": 7, "asked": "", "answered": ""}]}})
    ),
    "infinite": _pipe(_frame({"found": {**GOOD, "p50_ms": float("inf")}})),
    "wrong kind": _pipe(_frame({"found": {**GOOD, "scored": 3}})),
    "no sentence": _pipe(_frame({"fault": {"msgid": "{a:>999999999}", "values": [["a", "x"]]}})),
    "deep": _pipe((100_000).to_bytes(4, "big") + b"[" * 100_000),
    "fork": _fork,
    "reach": _reach,
    "write": _write,
    "environment": lambda _folder: Model(lambda _one: json.dumps(sorted(os.environ))),
    "raise": _raise,
    "told": _tell,
    "crash later": _crash_later,
    "leave": _leave,
    "another answer": lambda _folder: Model(lambda one: f"{one}{next(_turn)}"),
    "no text": lambda _folder: Model(len),
    "deaf": lambda _folder: Deaf(str.upper),
    "controls": lambda _folder: Model(lambda one: f"\x1b[31m{one}\u202e\n" + "x" * 100_000),
    "families": lambda _folder: Model(lambda _one: str(len(entry_points(group="paring.families")))),
}
