from __future__ import annotations

import pytest

from bot.channels.slack_links import permalink

HOMES = {"T1": "https://acme.slack.com/"}


@pytest.mark.parametrize(
    ("link", "address"),
    [
        ("message:slack/T1/C1/1700000000.000100", "https://acme.slack.com/archives/C1/p1700000000000100"),
        (
            "message:slack/T1/C1/1700000000.000100?thread=1700000000.000100",
            "https://acme.slack.com/archives/C1/p1700000000000100",
        ),
        (
            "message:slack/T1/C1/1700000001.000100?thread=1700000000.000100",
            "https://acme.slack.com/archives/C1/p1700000001000100?thread_ts=1700000000.000100&cid=C1",
        ),
        ("message:slack/T2/C1/1700000000.000100", ""),
        ("message:slack/T1/U1/1700000000.000100", ""),
        ("message:slack/T1/C1/../../x", ""),
        ("message:telegram/7/-100/5", ""),
        ("https://example.org/", ""),
    ],
)
def test_a_message_of_a_channel_has_an_address_that_opens_it(link: str, address: str) -> None:
    assert permalink(link, HOMES) == address


def test_a_workspace_that_calls_its_home_a_script_has_none() -> None:
    assert permalink("message:slack/T1/C1/1700000000.000100", {"T1": "javascript:alert(1)"}) == ""
