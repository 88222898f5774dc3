"""`paring doctor --egress`: proves that nothing is contacted but the hosts that the settings name.

Owns: what is allowed, and the verdict. Leaves the minute of real use, and what sees it, to `bot.egress_minute`, a process of its own.

    seen = look(settings)
    print(seen.to("ko"))
    seen.clean

On Linux the bot runs in a network of its own, in which every address is this machine and every packet is looked at, those of native
libraries too. Where the system gives nobody such a network, the sockets of all its processes are looked at 50 times a second, and
the report says that this is no proof.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from bot.channels.spec import spec_of
from bot.config_file import CONFIG_VARIABLE, find_config
from bot.config_strangers import NotLoaded
from bot.egress_minute import NO_NETWORK
from bot.errors import ParingError, SettingsError
from bot.locale import Language, Text, phrases
from bot.sandbox import Json

if TYPE_CHECKING:
    from bot.config import Settings
    from bot.config_channels import ChannelSettings

_ = phrases(__file__)

SLACK: Final = ("https://files.slack.com", "wss://wss-primary.slack.com", "wss://wss-backup.slack.com")
"""Where Slack keeps files, and where it names a socket. Source: https://docs.slack.dev/apis/events-api/using-socket-mode"""
MOST_S: Final = 900
MUST: Final = frozenset({"run", "page", "add", "chat", "say", "swap", "rollback"})
"""What has to have worked for the minute to be one."""


class NoMinuteError(ParingError):
    """The minute of use could not be spent."""


@dataclass(frozen=True, slots=True, order=True)
class Destination:
    """Where something was sent, or a name that was looked up and not spoken to (`protocol` is "name", `port` 0)."""

    host: str
    port: int
    protocol: str
    times: int
    configured: bool


@dataclass(frozen=True, slots=True)
class Egress:
    """What the minute showed."""

    destinations: tuple[Destination, ...]
    did: tuple[tuple[str, int], ...]
    sampled: bool
    missed: int

    @property
    def clean(self) -> bool:
        """Whether only configured hosts were contacted, in a minute that was one, of which nothing was missed."""
        return not self.missed and not self.undone and all(one.configured for one in self.destinations)

    @property
    def undone(self) -> tuple[str, ...]:
        """What of the use did not work, though it has to."""
        return tuple(verb for verb, code in self.did if verb in MUST and code != 0)

    def as_json(self) -> Mapping[str, Json]:
        """Return the report for a machine."""
        went: list[Json] = [
            {"host": one.host, "port": one.port, "protocol": one.protocol, "times": one.times, "configured": one.configured}
            for one in self.destinations
        ]
        did: list[Json] = [{"verb": verb, "exit": code} for verb, code in self.did]
        return {"clean": self.clean, "proof": not self.sampled, "destinations": went, "did": did, "missed": self.missed}

    def to(self, language: Language) -> str:
        """Return the report for a person."""
        return "\n".join(line.to(language) for line in self._lines())

    def _lines(self) -> Sequence[Text]:
        verbs = ", ".join(dict.fromkeys(verb for verb, _code in self.did))
        lines = [_("A minute of real use ({verbs}), over an empty home.", verbs=verbs)]
        lines += [_line(one) for one in self.destinations]
        if self.undone:
            told = _(
                "✗ This did not work, so nothing is proven: {verbs}. `paring doctor` says what is missing.",
                verbs=", ".join(self.undone),
            )
            lines.append(told)
        if self.missed:
            missed = _(
                "✗ {count} packets came too fast to be looked at, so nothing is proven. Please try again.", count=self.missed
            )
            lines.append(missed)
        foreign = [one for one in self.destinations if not one.configured]
        if foreign:
            lines.append(_("No setting names {count} of these. Please report this.", count=len(foreign)))
        elif not self.undone and not self.missed:
            lines.append(_("✓ Nothing else was contacted."))
        lines.append(_unseen(sampled=self.sampled))
        return lines


def look(settings: Settings, environment: Mapping[str, str] | None = None, *, brief: bool = False) -> Egress:
    """Spend the minute, or a `brief` one, and return what it showed. Raises NoMinuteError where it cannot be spent."""
    short = ("--brief",) if brief else ()
    with tempfile.TemporaryDirectory(prefix="paring-egress-", ignore_cleanup_errors=True) as folder:
        given = _environment(settings, Path(folder), os.environ if environment is None else environment)
        code, said = _spent(Path(folder), given, *short)
        if code == NO_NETWORK:
            code, said = _spent(Path(folder), given, "--sampled", *short)
    try:
        return judged(json.loads(said.splitlines()[-1]), hosts(settings))
    except (IndexError, ValueError):
        raise NoMinuteError(
            _("The minute of use broke off (exit code {code}). `paring doctor` says what is missing.", code=code)
        ) from None


def hosts(settings: Settings) -> frozenset[str]:
    """Return the hosts that the settings name and that are contacted without anybody's asking."""
    named = [settings.models.chat_url]
    if settings.telegram.token.get_secret_value():
        named += [settings.telegram.base_url, settings.telegram.base_file_url]
    if settings.slack.bot_tokens.get_secret_value():
        named += [settings.slack.base_url, *SLACK]
    if settings.matrix.enabled:
        named.append(settings.matrix.homeserver or f"https://{settings.matrix.user.partition(':')[2]}")
    theirs = [host for name, one in settings.channels.items() for host in _hosts_of(name, one)]
    return frozenset([*(host for one in named if (host := urlsplit(one).hostname)), *theirs])


def _hosts_of(name: str, settings: ChannelSettings) -> Collection[str]:
    """Return the hosts that another package's channel says it contacts; none where it cannot be loaded, and contacts none."""
    try:
        return [] if isinstance(settings, NotLoaded) else spec_of(name).hosts(settings)
    except SettingsError:
        return []


def judged(said: Mapping[str, Json], named: frozenset[str]) -> Egress:
    """Return the verdict over what a minute wrote down."""
    names, flights, did = said["names"], said["flights"], said["did"]
    assert isinstance(names, dict)  # noqa: S101 - our own process wrote it
    assert isinstance(flights, list)  # noqa: S101 - as above
    assert isinstance(did, list)  # noqa: S101 - as above
    by_address = {str(address): name for name, address in names.items()}
    went = []
    for protocol, address, port, times in (list(one) for one in flights if isinstance(one, list)):
        host = by_address.get(str(address), str(address))
        went.append(Destination(host, int(str(port)), str(protocol), int(str(times)), host in named))
    reached = {one.host for one in went}
    went += [Destination(name, 0, "name", 1, name in named) for name in names if name not in reached]
    done = tuple((str(one[0]), int(str(one[1]))) for one in did if isinstance(one, list))
    return Egress(tuple(sorted(went)), done, bool(said["sampled"]), int(str(said["missed"])))


def _unseen(*, sampled: bool) -> Text:
    if sampled:
        return _(
            "This system gives no program a network of its own (Linux user namespaces), so sockets were looked at 50 times a second: "
            "what lives shorter, and names that are looked up, are not seen. Telegram was left out. This is no proof."
        )
    return _(
        "Every packet was looked at, in a network of its own that nothing leaves. Not seen: what a host is asked after it has answered, "
        "for none can be reached there; links that people send and models that admins fetch, which the minute leaves out."
    )


def _line(one: Destination) -> Text:
    sign = "✓" if one.configured else "✗"
    if one.protocol == "name":
        return _("{sign} {host}: looked up", sign=sign, host=one.host)
    return _(
        "{sign} {host}, port {port} ({protocol}): {times} times",
        sign=sign,
        host=one.host,
        port=str(one.port),
        protocol=one.protocol,
        times=one.times,
    )


def _spent(folder: Path, environment: Mapping[str, str], *more: str) -> tuple[int, str]:
    try:
        done = subprocess.run(  # noqa: S603 - a module of our own
            [sys.executable, "-m", "bot.egress_minute", str(folder), *more],
            env=dict(environment), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=MOST_S, check=False, encoding="utf-8",
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return -1, ""
    return done.returncode, done.stdout


def _environment(settings: Settings, folder: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the settings in force, over a home, a page and a terminal of their own."""
    file = find_config(environment)
    return dict(environment) | ({CONFIG_VARIABLE: str(file.resolve())} if file else {}) | {
        "PARING_HOME": str(folder / "home"), "PARING_MODELS__FOLDER": str(settings.model_home.absolute()),
        "PARING_WEB__ENABLED": "true", "PARING_WEB__HOST": "127.0.0.1", "PARING_WEB__PORT": "0", "PARING_WEB__PASSWORD": "",
        "PARING_METRICS__PORT": "0", "PARING_WATCH__FOLDERS": "", "PARING_TELEGRAM__WEBHOOK_URL": "", "TMPDIR": str(folder),
    }  # fmt: skip
