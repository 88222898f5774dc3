"""Matrix: rooms, their threads, and direct chats, at one's own homeserver or at any; logged in by password, token or as an appservice.

Owns the account, the loop from login to login, what is fetched, and who is in what. Leaves to its neighbours: the login
(`matrix_account`), the line (`matrix_wire`), what came (`matrix_syncing`), the rooms (`matrix_rooms`), reading (`matrix_incoming`), what is
done with it (`matrix_taking`), invitations (`matrix_doors`), looks (`matrix_outgoing`), sending (`matrix_sending`), reactions and the
like (`matrix_signs`), and encryption (`matrix_sealing`: a seal is given to `Matrix`).

    channel = Matrix(settings.matrix, blobs=blobs, home=settings.home)
    await channel.run(intake)

A start first asks for the state of all rooms, then for what came since the position that the database holds; of an account
that never had one, what was said before is not answered.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import aiohttp

from bot.channels.backoff import SLACK_S, Backoff
from bot.channels.channel import Intake, Limits, Past
from bot.channels.downloads import too_large
from bot.channels.matrix_account import Me, found, signed_in
from bot.channels.matrix_doors import Doors
from bot.channels.matrix_incoming import SEALED
from bot.channels.matrix_outgoing import TEXT_UNITS
from bot.channels.matrix_past import PAUSE_S, power
from bot.channels.matrix_past import page as past_page
from bot.channels.matrix_rooms import CHANNEL, Json, Rooms, text_of
from bot.channels.matrix_sealing import Seal, Unsealed, Ways
from bot.channels.matrix_sending import Sending, WentOut, fresh
from bot.channels.matrix_signs import Signs
from bot.channels.matrix_syncing import STATE_S, Syncing
from bot.channels.matrix_taking import Taking
from bot.channels.matrix_wire import RefusedError, UnknownTokenError, Wire, path, unreached
from bot.config import MEBIBYTE, MatrixSettings
from bot.errors import ChannelError, GoneError, RetryLaterError, SettingsError
from bot.locale import Language, phrases
from bot.logs import Logger
from bot.message import Address, Attachment, Position, Reply
from bot.passage import Scope
from bot.pulse import Pulse
from bot.skill import Blobs, CommandSpec

_ = phrases(__file__)
log = Logger(__name__)

UPLOAD_BYTES: Final = 50 * 1024 * 1024
FINISH_S: Final = 2.0
LONGEST_LOGIN_WAIT_S: Final = 300.0
COMMANDS_S: Final = 5.0
POWER_BELIEVED_S: Final = 60.0
MOST_POWERS: Final = 10_000
FOLDER: Final = "matrix"


@dataclass(frozen=True, slots=True)
class _Line:
    """What there is while the bot is logged in."""

    me: Me
    wire: Wire
    rooms: Rooms
    signs: Signs
    sending: Sending


class Matrix:
    """One account. Its `repr`, its errors and its log lines never hold a token or a password."""

    name = CHANNEL
    groups = True
    history_pause_s = PAUSE_S

    def __init__(
        self, settings: MatrixSettings, *, blobs: Blobs, home: Path, seal: Seal | None = None, backoff: Backoff | None = None
    ) -> None:
        """Take the settings, the store of pictures, and the home that keeps the session.

        Raises:
            SettingsError: there is no way to log in.
        """
        _check(settings)
        self.account = ""
        self.post = f"{self.name} {_account_of(settings)}"
        self.limits = Limits(
            TEXT_UNITS, settings.download_mb * MEBIBYTE, UPLOAD_BYTES, edits=True, repeatable_sends=True, thumbs=True
        )
        self._settings = settings
        self._blobs = blobs
        self._folder = home / FOLDER
        self._seal = seal or Unsealed()
        self._backoff = backoff or Backoff()
        self.pulse: Pulse = self._backoff.pulse
        self._line: _Line | None = None
        self._doors: Doors | None = None
        self._powers: dict[str, tuple[str, float]] = {}
        self._admins: Collection[str] = ()
        self._commands: frozenset[str] = frozenset()
        self._published = asyncio.Event()

    async def run(self, intake: Intake) -> None:
        """Take in messages until cancelled. What the homeserver does not take is told in the log, and tried again ever later."""
        async with aiohttp.ClientSession(trust_env=True) as session:
            while True:
                wire, me = await self._signed_in(session)
                try:
                    await self._listen(intake, wire, me)
                except UnknownTokenError as error:
                    log.warning("the bot is logged in no more; it logs in again", why=str(error))
                finally:
                    line, self._line, self._doors = self._line, None, None
                    self.pulse.lost()
                    if line is not None:
                        await line.signs.finish(within_s=FINISH_S)
                await self._backoff.wait()

    async def _signed_in(self, session: aiohttp.ClientSession) -> tuple[Wire, Me]:
        """Find the homeserver and log in, until it takes it."""
        said, wire = "", None
        while True:
            try:
                wire = wire or Wire(await found(self._settings, session), session=session)
                return wire, await signed_in(wire, self._settings, self._folder)
            except ChannelError as error:
                if str(error) != said:
                    log.warning(
                        "the bot is not logged in at its Matrix homeserver; it is tried again, ever later", why=str(error)
                    )
                said = str(error)
                wait_s = error.retry_after_s if isinstance(error, RetryLaterError) else 0.0
                await self._backoff.wait(wait_s, most_s=LONGEST_LOGIN_WAIT_S)

    async def _listen(self, intake: Intake, wire: Wire, me: Me) -> None:
        """Ask what came, until cancelled. Raises UnknownTokenError."""
        rooms = Rooms(me, wire)
        signs = Signs(wire, rooms)
        signs.sending = sending = Sending(wire, rooms, self._seal, self._blobs, shown=signs.shown)
        doors = self._doors = Doors(intake, wire, rooms, signs, self._settings)
        doors.admins = self._admins
        taking = Taking(intake, wire, rooms, self._seal, signs, doors, commands=lambda: self._commands)
        await self._seal.begin(me, wire, rooms, Ways(taking.late, partial(_language, intake, rooms), doors.may_invite))
        syncing = Syncing(wire, self._backoff)
        state = await syncing.state()
        rooms.told(state)
        since = await intake.position(CHANNEL, me.account)
        if not since:
            since = text_of(state, "next_batch")
            await intake.accept_all([], read_to=Position(CHANNEL, me.account, since))
        self.account = me.account
        self._line = _Line(me, wire, rooms, signs, sending)
        await self._menu()
        doors.told(state)
        while True:
            since = await self._taken(await syncing.since(since), since, rooms, doors, taking)

    async def _taken(self, sync: Json, since: str, rooms: Rooms, doors: Doors, taking: Taking) -> str:
        """Commit what came; return up to where, or `since` where it is to be asked for again. Raises UnknownTokenError."""
        await self._seal.told(sync)
        rooms.told(sync)
        self.pulse.due(STATE_S + SLACK_S)
        try:
            await taking.take(sync, since)
        except UnknownTokenError:
            raise
        except RetryLaterError as error:
            log.warning("what came from the homeserver could not be taken in yet; it is asked again", why=str(error))
            await self._backoff.wait(error.retry_after_s)
            return since
        self._backoff.succeeded()
        doors.told(sync)
        return text_of(sync, "next_batch")

    async def _menu(self) -> None:
        """Wait a moment for the names of the commands: what was said while the bot was away may be one."""
        try:
            async with asyncio.timeout(COMMANDS_S):
                await self._published.wait()
        except TimeoutError:
            log.info("the commands are not known yet; in rooms only who mentions the bot gives it one")

    async def send(self, reply: Reply, to: Address, *, key: str) -> str:
        """Send `reply`; see the contract."""
        return await self._of(to.account).sending.send(reply, to, key)

    async def edit(self, sent: str, reply: Reply, to: Address) -> str:
        """Make `sent` show `reply`; see the contract."""
        return await self._of(to.account).sending.edit(sent, reply, to, fresh())

    async def send_parts(
        self,
        reply: Reply,
        to: Address,
        *,
        key: str,
        edits: str,
        sent: Sequence[str],
        went_out: WentOut | None,
        in_doubt: bool = False,
    ) -> str:
        """Send `reply` (into the event `edits`, if any) from the part after those in `sent`; see `bot.delivery.PartByPart`."""
        del in_doubt  # the homeserver knows what it has by its key
        here = self._of(to.account)
        if edits:
            shown = await here.sending.edit(edits, reply, to, key, sent=sent, went_out=went_out)
        else:
            shown = await here.sending.send(reply, to, key, sent=sent, went_out=went_out)
        if reply.reply_to:
            here.signs.answered(here.rooms.held_in(to), reply.reply_to)
        return shown

    async def typing(self, to: Address) -> None:
        """Show that an answer is being worked on; never raises."""
        line = self._line
        if line is not None and to.account == self.account:
            room = line.rooms.held_in(to)
            if room:
                await line.signs.type(room)

    async def member(self, person: str, scope: Scope) -> bool | None:
        """Ask the homeserver whether `person` is in the room, or say whether they are of the homeserver; never raises."""
        line = self._line
        if not person or line is None:
            return None if person else False
        if scope.kind == "workspace":
            return scope == self._workspace(line) and person.partition(":")[2] == line.me.server
        if scope.kind != "group" or not scope.path.startswith(f"{CHANNEL}/{line.me.account}/"):
            return False
        if not line.rooms.is_in(scope.chat):  # of a room that it has left the homeserver tells the state of then
            return False
        try:
            told = await line.wire.call("GET", path("v3", "rooms", scope.chat, "state", "m.room.member", person))
        except RefusedError:
            return False
        except ChannelError:
            return None
        return told.get("membership") == "join"

    async def workspace(self, chat: str) -> Scope | None:
        """Return the homeserver's people, where the room is one that only they can come to, and each of them can; never raises.

        That is a public room which says of itself that it is not federated: in any other there may be readers from elsewhere.
        """
        line = self._line
        if line is None or not line.rooms.is_in(chat):
            return None
        room = line.rooms.of(chat)
        closed = not room.federates and room.join_rule == "public"
        return self._workspace(line) if closed else None

    async def history(self, group: Address, before: str) -> Past:
        """Return a page of what was said in a room; see the contract."""
        line = self._of(group.account)
        return await past_page(line.wire, line.rooms, group.chat, before)

    async def role(self, person: str, *, anew: bool) -> str:
        """Return what power `person` has in the room of `matrix.admin_room`; see the contract."""
        line, room = self._line, self._settings.admin_room
        if line is None or not room:
            return ""
        known, until = self._powers.get(person, ("", 0.0))
        if anew or until <= time.monotonic():
            known = await power(line.wire, line.me, room, person)
            if len(self._powers) >= MOST_POWERS:
                self._powers.clear()
            self._powers[person] = known, time.monotonic() + POWER_BELIEVED_S
        return known

    def _workspace(self, line: _Line) -> Scope:
        return Scope("workspace", f"{CHANNEL}/{line.me.account}")

    async def fetch(self, attachment: Attachment, into: Path) -> None:
        """Download a file, and open it where it is sealed.

        Raises:
            TooLargeError: over `limits.download_bytes`.
            RetryLaterError, ChannelError: it cannot be had now, or at all.
        """
        if attachment.size_bytes > self.limits.download_bytes:
            raise too_large(self.limits.download_bytes)
        line = self._line
        if line is None:
            raise unreached()
        if not attachment.ref.startswith(SEALED):
            await line.wire.download(attachment.ref, into, limit_bytes=self.limits.download_bytes)
            return
        file = json.loads(attachment.ref.removeprefix(SEALED))
        await line.wire.download(text_of(file, "url"), into, limit_bytes=self.limits.download_bytes)
        await self._seal.opened_file(into, file)

    def admins_are(self, users: Collection[str]) -> None:
        """Know whose invitations are always followed."""
        self._admins = users
        if self._doors is not None:
            self._doors.admins = users

    async def publish_commands(self, commands: Sequence[CommandSpec], admin_commands: Sequence[CommandSpec]) -> None:
        """Know which words after `!` are commands in a room: Matrix has no menu of them."""
        self._commands = frozenset(word for spec in (*commands, *admin_commands) for word in (spec.name, *spec.aliases))
        self._published.set()

    def _of(self, account: str) -> _Line:
        if self._line is None:
            raise unreached()
        if account != self.account:
            raise GoneError(_("I am another account at Matrix now than the one that was asked."))
        return self._line

    def __repr__(self) -> str:
        """Return a name without secrets."""
        return f"Matrix({self.account or self._settings.user})"


async def _language(intake: Intake, rooms: Rooms, room: str) -> Language:
    return await intake.language(await rooms.address(room), "", "")


def _check(settings: MatrixSettings) -> None:
    token, password, service = (
        one.get_secret_value().strip() for one in (settings.token, settings.password, settings.appservice_token)
    )
    if not token and not password and not service:
        raise SettingsError(
            _(
                "Matrix has no way to log in. Set PARING_MATRIX__PASSWORD, PARING_MATRIX__TOKEN, or PARING_MATRIX__APPSERVICE_TOKEN."
            )
        )
    if settings.user and (not settings.user.startswith("@") or not settings.user.partition(":")[2]):
        raise SettingsError(
            _("matrix.user is “{user}”; a user id is @name:server, such as @paring:example.org.", user=settings.user)
        )
    if not token and not settings.user:
        raise SettingsError(
            _("Set matrix.user to the bot's user id, such as @paring:example.org: a password alone does not say whose it is.")
        )
    if settings.homeserver and not settings.homeserver.startswith(("https://", "http://")):
        raise SettingsError(
            _("matrix.homeserver is “{url}”; it is an address such as https://matrix.example.org.", url=settings.homeserver)
        )
    if not settings.homeserver and not settings.user:
        raise SettingsError(_("Set matrix.homeserver to where the homeserver is, such as https://matrix.example.org."))


def _account_of(settings: MatrixSettings) -> str:
    """Return what names the account before it is known: the user, else the token's hash."""
    return settings.user or hashlib.sha256(settings.token.get_secret_value().encode()).hexdigest()[:16]
