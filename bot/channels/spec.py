"""What a package says of the channel that it brings: its entry point in the group `paring.channels` names a ChannelSpec.

    SPEC = ChannelSpec("IRC", IrcSettings, build=Irc, hosts=lambda settings: [settings.server])    # irc = "paring_irc:SPEC"

Owns what such a package gives, what it is given, and what is told of one that does not fit. Leaves to `bot.config_strangers` the reading of its
settings. Once built, its channel is one like any other: who may talk, who is an admin, quotas, faults and logs know no difference.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from bot.config_channels import ChannelSettings
from bot.config_strangers import NotLoaded, loaded
from bot.errors import ParingError, SettingsError
from bot.locale import phrases

if TYPE_CHECKING:
    from bot.channels.channel import Channel
    from bot.skill import Blobs

_ = phrases(__file__)

S = TypeVar("S", bound=ChannelSettings)
MUST_HAVE: Final = (
    "account", "limits", "groups", "run", "send", "edit", "typing", "member", "workspace", "fetch", "publish_commands",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ChannelKit:
    """What a channel is built with."""

    name: str
    """The name under which it is installed, which is the channel's own in every address."""
    blobs: Blobs
    folder: Path
    """Where it may keep what is its own; made by the channel that needs it."""


@dataclass(frozen=True, slots=True)
class ChannelSpec(Generic[S]):
    """A channel that a package brings."""

    title: str
    settings: type[S]
    build: Callable[[S, ChannelKit], Channel]
    """Builds it, not running. Raises SettingsError on settings that do not go together."""
    hosts: Callable[[S], Collection[str]]
    """The hosts that it contacts by itself: `paring doctor --egress` takes all others for leaks."""


def spec_of(name: str) -> ChannelSpec[Any]:
    """Return what the package of the channel `name` says. Raises SettingsError where that cannot be loaded, or is something else."""
    spec = loaded(name)
    if not isinstance(spec, ChannelSpec):
        raise SettingsError(
            _("The entry point of the channel “{name}” names no ChannelSpec. The bot runs without it.", name=name)
        )
    return spec


def built(settings: ChannelSettings, kit: ChannelKit) -> Channel:
    """Return the channel. Raises SettingsError where its package does not bring one that fits."""
    if isinstance(settings, NotLoaded):
        raise SettingsError(settings.why)
    spec = spec_of(kit.name)
    try:
        channel = spec.build(settings, kit)
    except ParingError as error:
        raise SettingsError(error.text) from error
    except Exception as error:
        raise SettingsError(
            _("{title} cannot be built ({why}). The rest of the bot runs without it.", title=spec.title, why=type(error).__name__)
        ) from error
    lacks = [name for name in MUST_HAVE if not hasattr(channel, name)]
    if lacks or getattr(channel, "name", "") != kit.name:
        raise SettingsError(
            _("{title} is no channel: it lacks {what}. The rest of the bot runs without it.", title=spec.title,
              what=", ".join(lacks) or f"name = {kit.name!r}")
        )  # fmt: skip
    return channel
