import os
import socket
from pathlib import Path

import pytest

from bot.notify import Notifier


@pytest.fixture
def listener(tmp_path: Path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(str(tmp_path / "notify"))
        heard.settimeout(60)
        yield heard


def test_what_is_said_arrives_as_one_datagram(listener: socket.socket) -> None:
    Notifier.of({"NOTIFY_SOCKET": listener.getsockname()}).say("READY=1", "STATUS=serving")
    assert listener.recv(4096) == b"READY=1\nSTATUS=serving"


def test_an_abstract_socket_is_reached_too() -> None:
    name = f"paring-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(f"\0{name}")
        heard.settimeout(60)
        Notifier.of({"NOTIFY_SOCKET": f"@{name}"}).say("STOPPING=1")
        assert heard.recv(4096) == b"STOPPING=1"


@pytest.mark.parametrize(
    ("environment", "every_s"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
    ],
)
def test_the_watchdog_is_told_twice_in_its_time_where_it_watches_this_process(
    environment: dict[str, str], every_s: float | None
) -> None:
    assert Notifier.of(environment).every_s == every_s


def test_a_listener_that_is_not_there_or_does_not_read_stops_nothing(tmp_path: Path, listener: socket.socket) -> None:
    Notifier.of({}).say("READY=1")
    Notifier.of({"NOTIFY_SOCKET": str(tmp_path / "none")}).say("READY=1")
    full = Notifier.of({"NOTIFY_SOCKET": listener.getsockname()})
    for _time in range(5000):
        full.say("WATCHDOG=1")
