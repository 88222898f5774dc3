"""What `paring doctor` says of each channel: whether it is set up, what is missing of it, what to type next. Contacts nobody.

findings = [finding for look in LOOKS for finding in look(settings)]
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from bot.config_file import walk
from bot.config_section import variable
from bot.config_strangers import SECTION, NotLoaded, brought, kind_of
from bot.doctor_report import Finding, State, plain
from bot.errors import ChannelError, SettingsError
from bot.locale import Text, phrases

if TYPE_CHECKING:
    from bot.config import Settings

_ = phrases(__file__)

OWN_HOSTS: Final = frozenset({"127.0.0.1", "localhost", "::1"})


def _web(settings: Settings) -> list[Finding]:
    from bot.channels.web_server import address_of, is_loopback, listen  # noqa: PLC0415 - a web server, for this look alone

    web, what = settings.web, _("web page")
    if not web.enabled:
        return [Finding(what, "optional", _("switched off"), _("export PARING_WEB__ENABLED=true"))]
    if not is_loopback(web.host) and not web.password.get_secret_value():
        bare = _("{host} is an address that others reach, and there is no password", host=web.host)
        return [Finding(what, "missing", bare, _("export PARING_WEB__PASSWORD=…, or set web.host to 127.0.0.1"))]
    try:
        with listen(web.host, web.port) as probe:
            url = address_of(probe, web.host) if web.port else f"http://{web.host}"
    except ChannelError as error:
        return [Finding(what, "optional", error.text)]
    return [Finding(what, "ok", plain(url), _("paring run"))]


def _telegram(settings: Settings) -> list[Finding]:
    telegram, what = settings.telegram, Text("Telegram")
    token = telegram.token.get_secret_value()
    if not token:
        return [Finding(what, "optional", _("no token"), _("export PARING_TELEGRAM__TOKEN=… (from @BotFather), then paring run"))]
    if not token.partition(":")[0].isdigit():
        strange = _("PARING_TELEGRAM__TOKEN is no token: expected digits, a colon and letters")
        return [Finding(what, "missing", strange, _("copy it again from @BotFather"))]
    if telegram.webhook_url and not telegram.webhook_secret.get_secret_value():
        advice = _("export PARING_TELEGRAM__WEBHOOK_SECRET=… (letters and digits of your choice)")
        return [Finding(what, "missing", _("a webhook without a secret"), advice)]
    findings = [Finding(what, "ok", _("a token is set; it is tried at the start"))]
    policy, lists = settings.front_door, bool(telegram.allowed_users or telegram.allowed_chats)
    if policy == "everybody":
        everybody = _("everybody who finds the bot may talk to it, and search what is public")
        findings.append(Finding(what, "optional", everybody, _("unset PARING_FRONT_DOOR: who is new is shown a code then")))
    elif policy == "paired" or (policy == "auto" and not lists):
        paired = _("who is new is shown a code; an admin lets them in by it")
        findings.append(Finding(what, "ok", paired, _("paring admit CODE; paring guests shows who was let in")))
    elif not lists:
        nobody = _("only whom the lists name may talk to it, and they name nobody")
        findings.append(Finding(what, "optional", nobody, _("export PARING_TELEGRAM__ALLOWED_USERS=NUMBER,NUMBER")))
    return findings


def _slack(settings: Settings) -> list[Finding]:
    slack, what = settings.slack, Text("Slack")
    if not slack.bot_tokens.get_secret_value():
        return [
            Finding(what, "optional", _("no token"), _("export PARING_SLACK__BOT_TOKENS=… (see docs/slack.md), then paring run"))
        ]
    if not slack.app_token.get_secret_value() and not slack.signing_secret.get_secret_value():
        advice = _("export PARING_SLACK__APP_TOKEN=… for Socket Mode, or PARING_SLACK__SIGNING_SECRET=… for signed requests")
        return [Finding(what, "missing", _("a bot token, but no way for Slack to reach the bot"), advice)]
    return [Finding(what, "ok", _("a token is set; it is tried at the start"))]


def _strangers(settings: Settings) -> list[Finding]:
    """Say of each channel that another package brings whether it can be loaded, and whether anything of it is set."""
    from bot.channels.spec import spec_of  # noqa: PLC0415 - a stranger's package is loaded for this look alone

    findings = []
    for name in brought():
        told, key = settings.channels.get(name), f"{SECTION}.{name}"
        kind = kind_of(name) if told is None else told
        state: State = "optional" if told is None else "missing"
        if isinstance(kind, NotLoaded):
            findings.append(Finding(Text(name), state, kind.why))
            continue
        try:
            what = Text(spec_of(name).title)
        except SettingsError as error:
            findings.append(Finding(Text(name), state, error.text))
            continue
        if isinstance(kind, type):
            first = next((one for one, _default, _meaning, secret in walk(kind, f"{key}.") if not secret), key)
            nothing = _("installed, but nothing of [{section}] is set", section=key)
            advice = _("export {variable}=…, then paring run", variable=variable(first))
            findings.append(Finding(what, "optional", nothing, advice))
        else:
            findings.append(Finding(what, "ok", _("[{section}] is set; it is tried at the start", section=key)))
    return findings


def _matrix(settings: Settings) -> list[Finding]:
    matrix, what = settings.matrix, Text("Matrix")
    if not matrix.enabled:
        told = _("export PARING_MATRIX__USER=@paring:example.org PARING_MATRIX__PASSWORD=… (see docs/matrix.md), then paring run")
        return [Finding(what, "optional", _("no account"), told)]
    if not any(one.get_secret_value() for one in (matrix.password, matrix.token, matrix.appservice_token)):
        advice = _("export PARING_MATRIX__PASSWORD=…, or PARING_MATRIX__TOKEN=…")
        return [Finding(what, "missing", _("an account, but no password and no token"), advice)]
    if not matrix.user and not matrix.token.get_secret_value():
        return [
            Finding(what, "missing", _("a password, but nobody whose it is"), _("export PARING_MATRIX__USER=@paring:example.org"))
        ]
    there = urlsplit(matrix.homeserver)
    if there.scheme == "http" and (there.hostname or "") not in OWN_HOSTS:
        told = _("the password and all that is said go to {host} unencrypted", host=there.hostname or "")
        return [Finding(what, "optional", told, _("export PARING_MATRIX__HOMESERVER=https://…"))]
    return [Finding(what, "ok", _("an account is set; it is tried at the start"))]


LOOKS: Final[tuple[Callable[[Settings], list[Finding]], ...]] = (_web, _telegram, _slack, _matrix, _strangers)
"""In the order in which they are told."""
