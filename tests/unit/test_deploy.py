"""What is deployed with: read as those do who will run it, each path and each setting in it looked up."""

import configparser
import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from bot.config_file import walk
from bot.config_section import variable

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
VARIABLES = {variable(key) for key, _default, _description, _secret in walk()}


def unit(folder: Path) -> Path:
    """Return a copy of the unit that starts a program which is here."""
    path = folder / "paring.service"
    text = (DEPLOY / "paring.service").read_text(encoding="utf-8")
    path.write_text(text.replace("/opt/paring/.venv/bin/paring", sys.executable), encoding="utf-8")
    return path


def service() -> configparser.SectionProxy:
    parser = configparser.ConfigParser(interpolation=None, strict=True)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(DEPLOY / "paring.service", encoding="utf-8")
    return parser["Service"]


def test_the_unit_waits_for_the_bots_own_word_and_watches_it() -> None:
    told = service()
    assert (told["Type"], told["NotifyAccess"]) == ("notify", "main")
    assert int(told["WatchdogSec"]) > 0
    assert told["Restart"] == "on-failure"
    assert set(shlex.split(told["Environment"])) > {"PARING_HOME=/var/lib/paring"}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("DynamicUser", "yes"), ("NoNewPrivileges", "yes"), ("ProtectSystem", "strict"), ("ProtectHome", "yes"), ("PrivateTmp", "yes"),
        ("PrivateDevices", "yes"), ("CapabilityBoundingSet", ""), ("StateDirectory", "paring"), ("StateDirectoryMode", "0700"),
        ("UMask", "0077"), ("RestrictSUIDSGID", "yes"), ("SystemCallArchitectures", "native"),
    ],
)  # fmt: skip
def test_the_unit_takes_away_what_the_bot_does_not_need(key: str, value: str) -> None:
    assert service()[key] == value


def test_the_verbs_beside_the_service_run_as_it_does() -> None:
    script = DEPLOY / "paring.sh"
    told, unit_says = script.read_text(encoding="utf-8"), service()
    for key in ("DynamicUser", "StateDirectory", "StateDirectoryMode", "UMask", "EnvironmentFile"):
        assert f"-p {key}={unit_says[key]} " in told
    assert "-p User=paring " in told, "the unit's own name"
    for variable_set in shlex.split(unit_says["Environment"]):
        assert f"-E {variable_set} " in told
    assert f'{unit_says["ExecStart"].split()[0]} "$@"' in told
    subprocess.run(["sh", "-n", str(script)], check=True)
    assert script.stat().st_mode & 0o111


def test_systemd_itself_takes_the_unit(tmp_path: Path) -> None:
    if (analyze := shutil.which("systemd-analyze")) is None:
        return  # what can be known without it stands above
    verified = subprocess.run([analyze, "verify", str(unit(tmp_path))], capture_output=True, text=True, check=False, timeout=60)
    about_us = [line for line in verified.stderr.splitlines() if "paring.service" in line]
    assert (verified.returncode, about_us) == (0, [])


def stages() -> list[list[list[str]]]:
    """Return the Dockerfile's stages, each a list of instructions in words."""
    text = re.sub(r"\\\n", " ", (DEPLOY / "Dockerfile").read_text(encoding="utf-8"))
    found: list[list[list[str]]] = []
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        words = line.split()
        if words[0] == "FROM":
            found.append([])
        found[-1].append(words)
    return found


def test_what_the_image_copies_is_there() -> None:
    build, run = stages()
    copied = [word for words in build if words[0] == "COPY" for word in words[1:-1]]
    assert copied
    assert [path for path in copied if not (ROOT / path).exists()] == []
    assert [words for words in run if words[0] == "COPY"] == [["COPY", "--from=build", "/opt/paring", "/opt/paring"]]


def test_what_the_image_copies_is_all_that_is_sent_to_its_builder() -> None:
    build, _run = stages()
    listed = (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").split()
    assert listed[0] == "*"
    kept = {line.removeprefix("!") for line in listed if line.startswith("!")}
    assert kept == {word for words in build if words[0] == "COPY" for word in words[1:-1]}


def test_what_the_wheel_holds_is_what_the_image_copies() -> None:
    build, _run = stages()
    pyproject = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    packages = json.loads(re.search(r"^packages = (\[.*\])$", pyproject, re.MULTILINE)[1])  # type: ignore[index]
    copied = {word for words in build if words[0] == "COPY" for word in words[1:-1]}
    assert set(packages) <= copied


def test_the_image_runs_as_nobody_that_counts_and_writes_one_volume() -> None:
    _build, run = stages()
    said = {words[0]: words[1:] for words in run}
    assert said["USER"] == ["10001:10001"]
    assert said["VOLUME"] == ["/data"]
    assert said["ENTRYPOINT"] == ['["paring"]']
    environment = dict(word.split("=", 1) for words in run if words[0] == "ENV" for word in words[1:])
    assert environment["PARING_HOME"] == "/data"
    assert {name for name in environment if name.startswith("PARING_")} <= VARIABLES


def test_its_health_check_is_a_command_of_ours() -> None:
    _build, run = stages()
    (check,) = [words for words in run if words[0] == "HEALTHCHECK"]
    program, *words = json.loads(" ".join(check[check.index("CMD") + 1 :]))
    assert (program, words[:2]) == ("paring", ["doctor", "--health"])


def test_composed_it_may_write_nothing_else_and_has_no_rights() -> None:
    composed = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    one = composed["services"]["paring"]
    assert (one["read_only"], one["cap_drop"], one["security_opt"]) == (True, ["ALL"], ["no-new-privileges:true"])
    assert (DEPLOY / one["build"]["context"] / one["build"]["dockerfile"]).resolve() == DEPLOY / "Dockerfile"
    assert all(port.startswith("127.0.0.1:") for port in one["ports"])
    assert set(composed["volumes"]) == {volume.partition(":")[0] for volume in one["volumes"]}


def test_the_page_of_the_documentation_names_settings_that_there_are() -> None:
    told = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    assert set(re.findall(r"PARING_[A-Z_]+[A-Z]", told)) <= VARIABLES
