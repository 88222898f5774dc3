"""As whom the bot speaks at a Matrix homeserver: logged in once, and the same device after every start.

Owns the three ways in (a password, a token, an appservice), and the file HOME/matrix/session.json (0600) that keeps device and token. A
homeserver knows a repeated send by device, token and transaction id, and encryption by device: so neither is made anew while the old
one is good.

    me = await signed_in(wire, settings, home / "matrix")     # Me("@paring:example.org", "ABCDEFG", "Paring")

Sources: https://spec.matrix.org/v1.11/client-server-api/#login, https://spec.matrix.org/v1.11/client-server-api/#appservice-login,
https://spec.matrix.org/v1.11/client-server-api/#well-known-uri
"""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import aiohttp

from bot.channels.matrix_wire import RefusedError, UnknownTokenError, Wire, path, unreached, whole
from bot.config import MatrixSettings
from bot.errors import ChannelError, RetryLaterError
from bot.locale import phrases
from bot.logs import Logger

_ = phrases(__file__)
log = Logger(__name__)

SESSION: Final = "session.json"
DEVICE_NAME: Final = "Paring"
LOGIN_RETRY_S: Final = 30.0
"""Somebody has to set what is right: what waits is kept for then."""
WELL_KNOWN_S: Final = 10.0
_WELL_KNOWN_BYTES: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Me:
    """The bot at its homeserver. `name` is what people see, "" where none is set."""

    user: str
    device: str = ""
    name: str = ""

    @property
    def server(self) -> str:
        """The name of its homeserver."""
        return self.user.partition(":")[2]

    @property
    def account(self) -> str:
        """The user's id as the house names accounts, which have no slash."""
        return self.user.replace("/", "%2F")


async def found(settings: MatrixSettings, session: aiohttp.ClientSession) -> str:
    """Return where the homeserver's API is: as the settings say, else as the server of `user` tells; where it tells nothing, at it itself.

    Raises:
        RetryLaterError: the server cannot be asked, or what it tells makes no sense.
    """
    if settings.homeserver:
        return settings.homeserver
    server = settings.user.partition(":")[2]
    try:
        async with asyncio.timeout(WELL_KNOWN_S), session.get(f"https://{server}/.well-known/matrix/client") as answer:
            status, body = answer.status, await whole(answer, most_bytes=_WELL_KNOWN_BYTES)
    except (aiohttp.ClientError, TimeoutError, OSError):
        raise unreached() from None
    if status == 404:  # noqa: PLR2004 - HTTP's own word
        return f"https://{server}"
    url = _told_url(body) if status == 200 else ""  # noqa: PLR2004 - as above
    if not url:
        sentence = _(
            "{server} does not say where its Matrix homeserver is (/.well-known/matrix/client). It is asked again by itself. "
            "PARING_MATRIX__HOMESERVER can say it too.",
            server=server,
        )
        raise RetryLaterError(sentence, retry_after_s=LOGIN_RETRY_S)
    return url


def _told_url(body: bytes) -> str:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    named = told.get("m.homeserver") if isinstance(told, dict) else None
    url = named.get("base_url") if isinstance(named, dict) else None
    return url if isinstance(url, str) and urlsplit(url).scheme == "https" else ""


async def signed_in(wire: Wire, settings: MatrixSettings, folder: Path) -> Me:
    """Give `wire` a token that the homeserver knows, and return who it speaks as.

    Raises:
        RetryLaterError: it cannot be reached, or does not know what the settings say; the sentence says which.
        ChannelError: what it answers makes no sense.
    """
    kept = await asyncio.to_thread(_kept, folder)
    if settings.token.get_secret_value().strip():
        wire.token = settings.token.get_secret_value().strip()
        return await _with_name(await _who(wire), wire)
    if kept.get("homeserver") == wire.base_url and kept.get("token") and _is_of(kept, settings):
        wire.token = kept["token"]
        with suppress(UnknownTokenError):
            return await _with_name(await _who(wire), wire)
        log.warning("the homeserver knows the kept token no more; the bot logs in again, as the same device")
    wire.token = ""
    told = await _logged_in(wire, settings, kept.get("device", "") if _is_of(kept, settings) else "")
    token, user, device = told.get("access_token"), told.get("user_id"), told.get("device_id")
    if not isinstance(token, str) or not isinstance(user, str) or not isinstance(device, str):
        raise RetryLaterError(
            _("The Matrix homeserver answered the login with nothing that is known."), retry_after_s=LOGIN_RETRY_S
        )
    await asyncio.to_thread(_keep, folder, {"homeserver": wire.base_url, "user": user, "device": device, "token": token})
    wire.token = token
    return await _with_name(Me(user, device), wire)


async def _logged_in(wire: Wire, settings: MatrixSettings, device: str) -> Mapping[str, object]:
    service = settings.appservice_token.get_secret_value().strip()
    user = settings.user.removeprefix("@").partition(":")[0]
    said: dict[str, object] = {
        "identifier": {"type": "m.id.user", "user": settings.user},
        "initial_device_display_name": DEVICE_NAME,
    }
    if device:
        said["device_id"] = device
    try:
        if service:
            with suppress(RefusedError):  # it may be there already; whether it is, the login says
                await wire.call(
                    "POST",
                    "/v3/register",
                    said={"type": "m.login.application_service", "username": user, "inhibit_login": True},
                    token=service,
                )
            return await wire.call("POST", "/v3/login", said=said | {"type": "m.login.application_service"}, token=service)
        password = settings.password.get_secret_value()
        return await wire.call("POST", "/v3/login", said=said | {"type": "m.login.password", "password": password})
    except UnknownTokenError:
        sentence = _(
            "The Matrix homeserver does not know PARING_MATRIX__APPSERVICE_TOKEN. It is the as_token of the registration file, which the "
            "homeserver reads at its start."
        )
        raise RetryLaterError(sentence, retry_after_s=LOGIN_RETRY_S) from None
    except RefusedError as error:
        if error.code == "M_FORBIDDEN":
            sentence = _(
                "The Matrix homeserver does not take the user id {user} with this password. Set PARING_MATRIX__USER and "
                "PARING_MATRIX__PASSWORD to what is right, and start the bot again.",
                user=settings.user,
            )
        else:
            sentence = _("The Matrix homeserver does not let the bot log in so: {reason}", reason=str(error))
        raise RetryLaterError(sentence, retry_after_s=LOGIN_RETRY_S) from None


async def _who(wire: Wire) -> Me:
    told = await wire.call("GET", "/v3/account/whoami")
    user, device = told.get("user_id"), told.get("device_id")
    if not isinstance(user, str) or not user.startswith("@") or ":" not in user:
        raise ChannelError(_("The Matrix homeserver does not say whose the token is."))
    return Me(user, device if isinstance(device, str) else "")


async def _with_name(me: Me, wire: Wire) -> Me:
    try:
        name = (await wire.call("GET", path("v3", "profile", me.user, "displayname"))).get("displayname")
    except RefusedError:
        name = ""
    return Me(me.user, me.device, name if isinstance(name, str) else "")


def _is_of(kept: Mapping[str, str], settings: MatrixSettings) -> bool:
    """Say whether what was kept is of the user that the settings name, in whole or by the name before the colon."""
    user = kept.get("user", "")
    return bool(user) and settings.user.lower() in {user.lower(), user[1:].partition(":")[0].lower()}


def _kept(folder: Path) -> dict[str, str]:
    try:
        told = json.loads((folder / SESSION).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return {name: value for name, value in told.items() if isinstance(value, str)} if isinstance(told, dict) else {}


def _keep(folder: Path, session: Mapping[str, str]) -> None:
    """Write the session so that nobody else can read it, and whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, name = tempfile.mkstemp(dir=folder, prefix=f".{SESSION}")  # made with 0600
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(session, file)
        file.flush()
        os.fsync(file.fileno())
    Path(name).replace(folder / SESSION)
