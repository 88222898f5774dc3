"""Channels of other packages: their settings, what is told of a package that does not fit, and what holds for them as for all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fakes.stranger import WireSettings, bring

from bot.assembly import channel_lists
from bot.channels.spec import ChannelKit, built
from bot.config import Settings
from bot.config_file import load_settings
from bot.config_strangers import NotLoaded
from bot.doctor import examine
from bot.egress import hosts
from bot.errors import SettingsError
from bot.logs_secrets import secrets_of
from bot.settings_list import settings_rows, settings_table
from bot.store.blobs import BlobStore

SERVER = {"PARING_CHANNELS__WIRE__SERVER": "irc.example.org"}


@pytest.fixture(autouse=True)
def _wire(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PARING_HOME", str(tmp_path))
    bring(monkeypatch, wire="fakes.stranger:SPEC")


def told(monkeypatch: pytest.MonkeyPatch, **values: str) -> Settings:
    environment = {"PARING_HOME": "", **{f"PARING_CHANNELS__{name}": value for name, value in values.items()}}
    for name, value in environment.items():
        if value:
            monkeypatch.setenv(name, value)
    return load_settings(environment)


def kit(folder: Path) -> ChannelKit:
    return ChannelKit("wire", BlobStore(folder), folder)


def test_the_file_and_the_environment_over_it_reach_a_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "paring.toml").write_text(
        '[channels.wire]\nserver = "irc.example.org"\nport = 9\nrooms = ["#team"]\n[channels.wire.tls]\nca = "own.pem"\n'
    )
    given = {"PARING_CHANNELS__WIRE__PORT": "10", "PARING_CHANNELS__WIRE__PASSWORD": "canary-7", "PARING_HOME": str(tmp_path)}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    settings = load_settings(given)
    wire = settings.channels["wire"]
    assert isinstance(wire, WireSettings)
    assert (wire.server, wire.port, wire.rooms, wire.tls.ca) == ("irc.example.org", 10, ("#team",), "own.pem")
    assert wire.password.get_secret_value() == "canary-7"
    assert "canary-7" not in repr(settings) + json.dumps(settings_rows(settings)) + settings_table(settings, "ko")
    assert "canary-7" in secrets_of(settings)
    assert hosts(settings) == {"irc.example.org"}
    assert built(wire, kit(tmp_path)).account == "irc.example.org"


def test_lists_are_written_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = told(monkeypatch, WIRE__SERVER="a", WIRE__ROOMS="#one, #two", WIRE__ALLOWED_USERS="ann")
    assert settings.channels["wire"].rooms == ("#one", "#two")  # type: ignore[attr-defined]
    assert channel_lists(settings)["wire"].people == {"ann"}


def test_who_is_on_no_list_is_a_stranger_there_too(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not channel_lists(told(monkeypatch, WIRE__SERVER="a"))["wire"].people


@pytest.mark.parametrize(
    ("values", "english"),
    [
        ({"WIRE__PROT": "9"}, "Did you mean PARING_CHANNELS__WIRE__PORT"),
        ({"WIRE__PORT": "nine", "WIRE__SERVER": "a"}, "“channels.wire.port” is not right: expected a whole number"),
        ({"WIRE__PORT": "9"}, "“channels.wire.server” is not right: it is not set"),
        ({"WIRED__PORT": "9"}, "brings a channel “wired”. Did you mean wire"),
        ({"OTHER__PORT": "9"}, "brings a channel “other”. Install its package"),
    ],
)
def test_what_is_not_right_is_refused_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch, values: dict[str, str], english: str
) -> None:
    with pytest.raises(SettingsError, match=english) as error:
        told(monkeypatch, **values)
    assert any("가" <= letter <= "힣" for letter in error.value.sentence("ko"))


@pytest.mark.parametrize(
    ("written", "english"),
    [
        ('[channels.wire]\nserver = "a"\npassword = "canary"', "PARING_CHANNELS__WIRE__PASSWORD"),
        ('[channels.wire]\nserver = "a"\nsrever = "b"', "Did you mean channels.wire.server"),
        ('[channels.wir]\nserver = "a"', "brings a channel “wir”. Did you mean wire"),
        ("[channels]\nwire = 3", "no setting “channels.wire”"),
        ("channels = 3", "no setting “channels”"),
    ],
)
def test_the_file_is_held_to_the_same_rules(tmp_path: Path, written: str, english: str) -> None:
    file = tmp_path / "paring.toml"
    file.write_text(written, encoding="utf-8")
    with pytest.raises(SettingsError, match=english) as error:
        load_settings({"PARING_CONFIG": str(file)})
    assert "canary" not in str(error.value)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("fakes.nothing:SPEC", "ModuleNotFoundError"),
        ("fakes.stranger:NONE", "AttributeError"),
        ("fakes.stranger:NO_SPEC", "settings: ChannelSettings"),
    ],
)
def test_a_package_that_cannot_be_loaded_is_told_and_stops_nobody(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, value: str, why: str
) -> None:
    bring(monkeypatch, wire=value)
    settings = told(monkeypatch, WIRE__SERVER="a", WIRE__ANYTHING="b")
    assert isinstance(settings.channels["wire"], NotLoaded)
    with pytest.raises(SettingsError, match=f"“wire” cannot be used .*{why}"):
        built(settings.channels["wire"], kit(tmp_path))
    assert f"✗ wire: The package of the channel “wire” cannot be used ({why}" in examine(settings, {}).to("en")
    assert hosts(settings) == frozenset()


def test_a_validator_that_breaks_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(told(monkeypatch, WIRE__SERVER="broken").channels["wire"], NotLoaded)


@pytest.mark.parametrize(
    ("spec", "server", "said"), [("BREAKS", "a", "Breaks cannot be built"), ("SPEC", "nameless", "lacks name = 'wire'")]
)
def test_what_is_no_channel_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, spec: str, server: str, said: str) -> None:
    bring(monkeypatch, wire=f"fakes.stranger:{spec}")
    settings = told(monkeypatch, WIRE__SERVER=server)
    with pytest.raises(SettingsError, match=said):
        built(settings.channels["wire"], kit(tmp_path))


@pytest.mark.parametrize("name", ["telegram", "console", "Wire", "a-b", "copy"])
def test_a_name_of_paring_s_own_is_nobody_elses(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    bring(monkeypatch, **{name: "fakes.stranger:SPEC"})
    assert f"○ {name}: No package may call its channel “{name}”" in examine(Settings(), {}).to("en")


def test_the_doctor_lists_what_is_installed_and_what_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    bare = examine(Settings(), {}).to("en")
    assert "○ Wire: installed, but nothing of [channels.wire] is set" in bare
    assert "export PARING_CHANNELS__WIRE__SERVER=" in bare
    assert "✓ Wire: [channels.wire] is set" in examine(told(monkeypatch, WIRE__SERVER="a"), {}).to("en")
    listed = settings_table(Settings(), "en")
    assert "channels.wire.port" in listed
    assert "Undefined" not in listed


def test_nothing_is_imported_of_which_nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    bring(monkeypatch, wire="fakes.nothing:SPEC")
    assert told(monkeypatch).channels == {}
