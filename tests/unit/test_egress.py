"""What a minute of use showed is judged by what the settings name, and told as no more than it is."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot import egress
from bot.alone import Flight
from bot.config import ModelSettings, Settings, TelegramSettings
from bot.egress import Destination, NoMinuteError, hosts, judged, look
from bot.egress_minute import NO_NETWORK, Names

DID = [["run", 0], ["page", 0], ["add", 0], ["chat", 0], ["say", 0], ["swap", 0], ["doctor", 1]]
WITHIN = """
import ctypes, json, socket, sys
from pathlib import Path
from bot.alone import Packets, enter
from bot.egress_minute import NO_NETWORK, Names
try:
    enter(Path(sys.argv[1]))
except OSError:
    sys.exit(NO_NETWORK)
with Packets() as packets, Names() as names:
    for where in (("some.example", 443), ("198.51.100.7", 25), ("2606:2800::7", 80), ("127.0.0.1", 9)):
        try:
            socket.create_connection(where, 5)
        except ConnectionRefusedError:
            pass
    socket.getaddrinfo("only.example", 80, 0, 0, 0, socket.AI_ADDRCONFIG)
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("203.0.113.53", 53))
print(json.dumps([sorted([one.protocol, one.address, one.port] for one in packets.seen if not one.is_here), names.given, packets.missed]))
"""


def said(*flights: list[object], names: dict[str, str] | None = None, **more: object) -> dict[str, object]:
    return {"did": DID, "flights": list(flights), "names": names or {}, "missed": 0, "sampled": False} | more


def test_in_a_network_of_its_own_all_is_seen_and_answered_here(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", WITHIN, tmp_path], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode in (0, NO_NETWORK), done.stderr
    if done.returncode == 0:
        flights, names, missed = json.loads(done.stdout)
        to = ["198.18.0.1", 443], ["198.51.100.7", 25], ["2606:2800::7", 80]
        assert flights == [*sorted(["tcp", *one] for one in to), ["udp", "203.0.113.53", 53]]
        assert list(names) == ["some.example", "only.example"]
        assert missed == 0


def test_nothing_contacted_is_clean() -> None:
    seen = judged(said(), frozenset())  # type: ignore[arg-type]
    assert seen.clean
    assert "Nothing else was contacted" in seen.to("en")
    assert "다른 곳에는 연결하지 않았어요" in seen.to("ko")


def test_what_the_settings_name_is_clean_and_told_by_its_name() -> None:
    seen = judged(
        said(["tcp", "198.18.0.1", 443, 3], names={"api.telegram.org": "198.18.0.1"}),  # type: ignore[arg-type]
        frozenset({"api.telegram.org"}),
    )
    assert seen.clean
    assert seen.destinations == (Destination("api.telegram.org", 443, "tcp", 3, configured=True),)
    assert "✓ api.telegram.org, port 443 (tcp): 3 times" in seen.to("en")


@pytest.mark.parametrize(
    "more",
    [
        {"flights": [["tcp", "203.0.113.9", 443, 1]]},
        {"flights": [["udp", "8.8.8.8", 53, 1]]},
        {"names": {"telemetry.example": "198.18.0.1"}},
        {"missed": 2},
        {"did": [["run", -1]]},
    ],
)
def test_what_nobody_named_and_what_proves_nothing_is_not_clean(more: dict[str, object]) -> None:
    seen = judged(said() | more, frozenset({"api.telegram.org"}))  # type: ignore[arg-type]
    assert not seen.clean
    assert not seen.as_json()["clean"]
    assert "✗" in seen.to("en")
    assert "✗" in seen.to("ko")


def test_samples_are_told_as_no_proof() -> None:
    seen = judged(said(sampled=True), frozenset())  # type: ignore[arg-type]
    assert "This is no proof" in seen.to("en")
    assert "증명은 아니에요" in seen.to("ko")
    assert seen.as_json()["proof"] is False


def test_the_hosts_of_channels_that_are_set_up_are_named(tmp_path: Path) -> None:
    assert hosts(Settings(home=tmp_path)) == frozenset()
    telegram = TelegramSettings(token=SecretStr("7:AA"), base_url="https://telegram.example/bot")
    chat = ModelSettings(chat_url="http://llama.intra:8000/v1")
    assert {"telegram.example", "llama.intra"} <= hosts(Settings(home=tmp_path, telegram=telegram, models=chat))


def test_a_minute_that_breaks_off_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(egress, "_spent", lambda *_given: (1, ""))
    with pytest.raises(NoMinuteError, match="exit code 1"):
        look(Settings(home=tmp_path))


def test_the_minute_is_not_spent_over_the_users_own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[dict[str, str]] = []
    monkeypatch.setattr(
        egress, "_spent", lambda _folder, environment, *_more: given.append(environment) or (0, json.dumps(said()))
    )
    look(Settings(home=tmp_path / "mine"), {"PARING_HOME": str(tmp_path / "mine"), "PARING_WEB__PORT": "80"})
    assert str(tmp_path) not in given[0]["PARING_HOME"]
    assert given[0]["PARING_MODELS__FOLDER"] == str(tmp_path / "mine" / "models")
    assert given[0]["PARING_WEB__PORT"] == "0"


def test_each_name_has_an_address_of_its_own() -> None:
    names = Names.__new__(Names)
    names.given = {}
    query = b"\1\2\1\0\0\1\0\0\0\0\0\0\4some\7example\0\0\1\0\1"
    assert names._answer(query)[-4:] == bytes([198, 18, 0, 1])
    assert names._answer(query.replace(b"some", b"more"))[-4:] == bytes([198, 18, 0, 2])
    assert names.given == {"some.example": "198.18.0.1", "more.example": "198.18.0.2"}


@pytest.mark.parametrize(("address", "here"), [("127.0.0.1", True), ("::1", True), ("fd00::1", True), ("10.0.0.1", False)])
def test_what_stays_on_this_machine_goes_nowhere(address: str, here: bool) -> None:
    assert Flight("tcp", address, 80).is_here is here
