from __future__ import annotations

import pytest

from bot.retrieval import link_names
from bot.retrieval.link_names import addresses_of


async def test_a_name_is_looked_up_as_the_system_does() -> None:
    assert "127.0.0.1" in await addresses_of("localhost", 80)


@pytest.mark.parametrize("name", ["-c", "a b", "x" * 300, "\ud83d"])
async def test_what_is_no_name_has_no_address(name: str) -> None:
    assert await addresses_of(name.encode("utf-8", "replace").decode(), 80) == []


async def test_a_lookup_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_names, "LOOK", "import signal; signal.pause()")
    monkeypatch.setattr(link_names, "LOOKUP_S", 0.01)
    assert await addresses_of("slow.example", 80) == []


async def test_no_secret_goes_along(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARING_TELEGRAM__TOKEN", "canary")
    monkeypatch.setattr(link_names, "LOOK", "import os; print(*os.environ)")
    assert "PARING_TELEGRAM__TOKEN" not in await addresses_of("x", 80)
