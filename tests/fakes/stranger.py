"""Channels that other packages bring: one that is well made, and those that are not."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from importlib.metadata import EntryPoint

import pytest
from pydantic import Field, SecretStr, field_validator

from bot import config_strangers
from bot.channels.spec import ChannelKit, ChannelSpec
from bot.config_channels import ChannelSettings
from bot.config_section import Names, Section
from fakes.channel import FakeChannel


class Tls(Section):
    ca: str = Field(default="", description="Its authority.")


class WireSettings(ChannelSettings):
    server: str = Field(description="Where it is.")
    port: int = Field(default=7, ge=1, description="Its port.")
    rooms: Names = Field(default=(), description="Rooms to be in.")
    password: SecretStr = Field(default=SecretStr(""), description="Its password.")
    tls: Tls = Field(default_factory=Tls, description="How it is secured.")

    @field_validator("server")
    @classmethod
    def _known(cls, value: str) -> str:
        if value == "broken":
            raise KeyError(value)
        return value


class Wire(FakeChannel):
    def __init__(self, settings: WireSettings, kit: ChannelKit) -> None:
        super().__init__()
        self.name = "wire" if settings.server != "nameless" else "other"
        self.account = settings.server


def _breaks(_settings: WireSettings, _kit: ChannelKit) -> Wire:
    raise ZeroDivisionError


SPEC = ChannelSpec("Wire", WireSettings, build=Wire, hosts=lambda settings: [settings.server])
BREAKS = ChannelSpec("Breaks", WireSettings, build=_breaks, hosts=lambda _settings: [])
NO_SPEC = object()


def bring(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    """Have packages installed that bring these channels: `wire="fakes.stranger:SPEC"`."""
    points: Mapping[str, EntryPoint] = {
        name: EntryPoint(name, value, config_strangers.GROUP) for name, value in itertools.chain(values.items())
    }
    monkeypatch.setattr(config_strangers, "installed", lambda _group: points)
    config_strangers.loaded.cache_clear()
