"""`paring models`: listing, taking in and packing, as they are typed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file
from typer.main import get_command

from bot.cli import cli
from bot.cli_errors import UsageError
from bot.cli_models import arrived_text, next_step
from bot.errors import InputError, UnsafeModelError
from bot.models.carried import Arrived
from bot.models.spec import ModelSpec

ROOT = Path(__file__).parents[2]
FORBIDDEN = """
import sys
def refuse(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"):
        sys.stderr.write(f"REACHED OUT: {event} {arguments}\\n")
        sys.stderr.flush()
        import os; os._exit(99)
sys.addaudithook(refuse)
from bot.cli import cli
for words in (["import", sys.argv[1]], ["export", "my-model", "-o", "m.tar"], ["import", "m.tar"], []):
    cli(["models", *words], standalone_mode=False)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "my-model"
    folder.mkdir()
    save_file({"w": np.zeros(3, np.float32)}, folder / "model.safetensors")
    (folder / "config.json").write_text('{"model_type": "bart"}')
    return folder


def typed(*words: str) -> None:
    cli(list(words), prog_name="paring", standalone_mode=False)


def test_a_slot_that_there_is_not_takes_no_model_in(home: Path, folder: Path) -> None:
    with pytest.raises(UsageError, match=r"There is no slot “sumarise”\. There are: .*summarise"):
        typed("models", "import", str(folder), "--slot", "sumarise")
    assert not (home / "models").exists()


def test_a_folder_is_taken_in_and_packed_again(home: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    typed("models", "import", str(folder), "--json")
    arrived = json.loads(capsys.readouterr().out)
    typed("models", "export", "my-model", "-o", "m.tar", "--json")
    packed = json.loads(capsys.readouterr().out)

    assert arrived["next"] == "paring swap summarise my-model"
    assert arrived["identity"] == packed["identity"]
    assert arrived["known"] is False
    assert Path("m.tar").stat().st_size == packed["size_bytes"]
    typed("models", "import", "m.tar")
    assert "was here already" in capsys.readouterr().out


def test_what_comes_from_no_hub_is_compared_with_none(home: Path) -> None:
    with pytest.raises(InputError, match=r"route\.linear\.v1 comes from no hub"):
        typed("models", "check", "route.linear.v1")


def test_what_is_refused_is_told(home: Path, folder: Path) -> None:
    (folder / "pytorch_model.bin").touch()

    with pytest.raises(UnsafeModelError, match=r"pytorch_model\.bin"):
        typed("models", "import", str(folder))


@pytest.mark.parametrize("verb", ["import", "export"])
def test_ctrl_c_leaves_nothing_half_done(
    home: Path, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    typed("models", "import", str(folder))

    def interrupt(*_told: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("bot.cli_models.in_mebibytes", lambda _report: interrupt)
    code = cli(
        ["models", "import", str(folder), "--name", "b"] if verb == "import" else ["models", "export", "my-model", "-o", "m.tar"],
        prog_name="paring", standalone_mode=False,
    )  # fmt: skip

    assert code == 130
    assert "paring: stopped; no" in capsys.readouterr().err
    assert {path.name for path in Path().iterdir()} == {"home", "my-model"}
    assert {path.name for path in (home / "models").iterdir() if path.is_dir()} == {"my-model"}


def test_the_verbs_below_it_are_these() -> None:
    assert set(get_command(cli).commands["models"].commands) == {"search", "import", "export", "check"}  # type: ignore[attr-defined]


def test_without_a_verb_the_models_are_listed(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    typed("models", "--json")

    assert {"embed", "summarise"} <= {row["slot"] for row in json.loads(capsys.readouterr().out)}


def test_no_connection_is_opened(home: Path, folder: Path) -> None:
    """The process ends at the first attempt to reach anything, a name server too."""
    done = subprocess.run(
        [sys.executable, "-c", FORBIDDEN, str(folder)], capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert "was here already" in done.stdout


def test_a_model_without_a_slot_says_what_is_typed() -> None:
    arrived = Arrived(ModelSpec("x", "", "", "folder", revision="r"), Path("x"), known=False)

    assert next_step(arrived) == "paring swap SLOT x"
    assert "라이선스 알 수 없음" in arrived_text(arrived).to("ko")
