"""A trial of a model: what it measures, and that whatever the model does is a sentence and nothing more."""

import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from fakes.tiny_embedder import tiny_embedder

from bot.config import Settings
from bot.locale import LANGUAGES, Text
from bot.models import probe as probe_module
from bot.models.memory import available_mb
from bot.models.probe import Limits, probe
from bot.models.spec import ModelSpec
from bot.models.trial import Figures, Tell

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="the limit is Linux's")
POINTS = """
[paring.families]
hostile = fakes.hostile_models:load
[paring.gates]
letters = fakes.hostile_models:LettersGate
"""


@pytest.fixture(autouse=True)
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install the family and the gate for the child, which finds what is on this process's path."""
    information = tmp_path / "site" / "hostile-0.1.dist-info"
    information.mkdir(parents=True)
    (information / "entry_points.txt").write_text(POINTS, encoding="utf-8")
    monkeypatch.syspath_prepend(information.parent)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


def spec_of(what: str, *, slot: str = "letters") -> ModelSpec:
    return ModelSpec(f"{slot}.hostile.v1", slot, "hostile", "folder", what, "abc", licence="MIT", languages=("ko", "en"))


async def tried(
    what: str, tmp_path: Path, settings: Settings, *, memory_mb: int = 2000, quiet_s: float = 60, report: Tell | None = None
) -> Figures:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "weights").write_bytes(b"weights")
    limits = Limits(memory_mb=memory_mb, quiet_s=quiet_s)
    return await probe(spec_of(what), folder, settings, embedder=None, limits=limits, report=report)


def children() -> list[int]:
    """Return the processes of trials that live."""
    return [child.pid for child in psutil.Process().children() if "bot.models.probe_child" in child.cmdline()]


@pytest.mark.parametrize(
    ("free_mb", "budget", "limit"), [(10_000, 3000, 3000), (2000, 3000, 1744), (300, 3000, 512), (300, 400, 400)]
)
def test_a_trial_takes_no_more_than_is_free(
    free_mb: int, budget: int, limit: int, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe_module, "available_mb", lambda: free_mb)
    models = settings.models.model_copy(update={"ram_mb": budget})
    assert Limits.of(settings.model_copy(update={"models": models})).memory_mb == limit


def test_some_memory_is_free() -> None:
    assert available_mb() > 0


async def test_a_good_model_is_measured_and_scored(tmp_path: Path, settings: Settings) -> None:
    shown: list[str] = []

    async def report(text: Text) -> None:
        shown.append(text.to("en"))

    figures = await tried("good", tmp_path, settings, report=report)
    assert (figures.model, figures.metric, figures.licence) == ("letters.hostile.v1@abc", "share right", "MIT")
    assert [one.score for one in figures.scored] == [1.0] * 5
    assert (figures.scored[0].asked, figures.scored[0].answered) == ("one", "ONE")
    assert figures.fault == {}
    assert 0 <= figures.p50_ms <= figures.p95_ms
    assert figures.ram_mb >= 1
    assert figures.disk_bytes == 7
    assert {line.partition(" ")[0] for line in shown} <= {"Loading", "Trying"}
    assert shown
    assert children() == []


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("segfault", "crashed while it was loaded (SIGSEGV)"),
        ("crash later", "crashed after 2 of 5 cases (SIGSEGV)"),
        ("leave", "crashed while it was loaded (0)"),
        ("garbage", "sent what is no answer"),
        ("no json", "sent what is no answer"),
        ("no mapping", "sent what is no answer"),
        ("wrong score", "sent what is no answer"),
        ("infinite", "sent what is no answer"),
        ("wrong kind", "sent what is no answer"),
        ("no sentence", "sent what is no answer"),
        ("deep", "sent what is no answer"),
        ("raise", "failed while it was loaded (RuntimeError in hostile_models.py:"),
        ("told", "The weights are of another model."),
        ("another answer", "gave another answer when it was asked the same again"),
        ("no text", "It answers with what is no text."),
        ("deaf", "gave 0 answers to 1 inputs"),
    ],
)
async def test_what_goes_wrong_is_a_sentence(what: str, said: str, tmp_path: Path, settings: Settings) -> None:
    figures = await tried(what, tmp_path, settings)
    assert said in figures.fault["en"]
    assert "secret" not in figures.fault["en"]
    assert set(figures.fault) == set(LANGUAGES)
    assert figures.scored == ()
    assert children() == []


async def test_what_hangs_is_ended(tmp_path: Path, settings: Settings) -> None:
    figures = await tried("hang", tmp_path, settings, quiet_s=3)
    assert "it was stopped while it was loaded" in figures.fault["en"]
    assert "로드" in figures.fault["ko"]
    assert children() == []


@linux_only
async def test_what_eats_memory_is_ended_with_how_much(tmp_path: Path, settings: Settings) -> None:
    figures = await tried("eat", tmp_path, settings, memory_mb=300)
    assert "300 MiB" in figures.fault["en"]
    assert children() == []


async def test_what_prints_gigabytes_costs_nothing(tmp_path: Path, settings: Settings) -> None:
    assert (await tried("print", tmp_path, settings)).fault == {}


@linux_only
async def test_no_process_can_be_started(tmp_path: Path, settings: Settings) -> None:
    figures = await tried("fork", tmp_path, settings)
    assert figures.scored[0].answered == "PermissionError PermissionError -1"


@linux_only
async def test_no_socket_can_be_opened_and_no_other_process_reached(tmp_path: Path, settings: Settings) -> None:
    figures = await tried("reach", tmp_path, settings)
    assert figures.scored[0].answered == "PermissionError PermissionError PermissionError"


@linux_only
async def test_it_writes_into_a_folder_alone_that_goes_with_it(tmp_path: Path, settings: Settings) -> None:
    figures = await tried("write", tmp_path, settings)
    assert figures.scored[0].answered == "PermissionError written PermissionError"


async def test_no_setting_or_secret_reaches_it(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PARING_TELEGRAM__TOKEN", "HF_TOKEN", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "canary")
    figures = await tried("environment", tmp_path, settings)
    seen = json.loads(figures.scored[0].answered)
    assert [name for name in seen if "TOKEN" in name or "SECRET" in name or name.startswith("PARING")] == []
    assert "HF_HUB_OFFLINE" in seen


async def test_it_computes_on_as_many_threads_as_it_would_live(tmp_path: Path, settings: Settings) -> None:
    seen = json.loads((await tried("environment", tmp_path, settings)).scored[0].answered)
    assert [name for name in seen if name.startswith("OMP_")] == []


async def test_what_it_says_is_shown_as_plain_text(tmp_path: Path, settings: Settings) -> None:
    answered = (await tried("controls", tmp_path, settings)).scored[0].answered
    assert answered.isprintable()
    assert len(answered) <= 400


async def test_cancelled_it_ends_its_process(tmp_path: Path, settings: Settings) -> None:
    loading = asyncio.Event()

    async def report(_text: Text) -> None:
        loading.set()

    task = asyncio.create_task(tried("hang", tmp_path, settings, report=report))
    await loading.wait()
    assert len(children()) == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert children() == []


async def test_a_slot_without_a_gate_is_loaded_and_weighed(tmp_path: Path, settings: Settings) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    figures = await probe(spec_of("good", slot="other"), folder, settings, embedder=None, limits=Limits(memory_mb=2000))
    assert (figures.metric, figures.scored, figures.fault) == ("", (), {})
    assert figures.ram_mb >= 1


async def test_a_runtime_over_torch_works_there(tmp_path: Path, settings: Settings) -> None:
    folder = tiny_embedder(tmp_path / "tiny")
    spec = ModelSpec("tiny", "embed", "sentence-transformers", "folder", "tiny", "1", languages=("en",))
    figures = await probe(spec, folder, settings, embedder=None, limits=Limits.of(settings))
    assert figures.fault == {}
    assert figures.metric == "nDCG@10"
    assert {one.language for one in figures.scored} == {"en"}
    assert figures.ram_mb > 50


async def test_an_unknown_family_is_told(tmp_path: Path, settings: Settings) -> None:
    spec = ModelSpec("a", "letters", "nobody", "folder")
    figures = await probe(spec, tmp_path, settings, embedder=None, limits=Limits(memory_mb=2000))
    assert "“nobody”" in figures.fault["en"]


async def test_nothing_is_left_on_disk(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Path] = []
    whole: Callable[..., str] = probe_module.tempfile.mkdtemp

    def noted(**options: str) -> str:
        made.append(Path(whole(**options)))
        return str(made[-1])

    monkeypatch.setattr(probe_module.tempfile, "mkdtemp", noted)
    await tried("segfault", tmp_path, settings)
    assert [folder.exists() for folder in made] == [False]


def test_a_key_of_a_server_goes_to_a_server_alone(settings: Settings) -> None:
    keyed = settings.model_copy(update={"models": settings.models.model_copy(update={"chat_key": _Secret("canary")})})
    asked = probe_module._request(spec_of("good"), Path(), keyed, None)
    assert b"canary" not in asked
    server = ModelSpec("chat.server.v1", "chat", "openai-server", "server", "http://127.0.0.1:9")
    assert b"canary" in probe_module._request(server, Path(), keyed, None)


class _Secret:
    def __init__(self, value: str) -> None:
        self._value = value

    def get_secret_value(self) -> str:
        return self._value


async def test_what_is_found_by_a_relative_path_here_is_found_there(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["site", *(path for path in sys.path if not path.startswith(str(tmp_path)))])
    assert (await tried("good", tmp_path, settings)).fault == {}
