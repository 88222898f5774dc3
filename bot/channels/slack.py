"""Slack: direct chats, channels and their threads, in several workspaces of one app; Socket Mode, or signed requests.

Owns the accounts, what is fetched, and who is in what. Leaves to its neighbours: reading (`slack_incoming`), what is done with it
(`slack_taking`), looks (`slack_outgoing`), sending (`slack_sending`), the line (`slack_wire`), the ways in (`slack_listening`). No other
file imports the library.

    channel = Slack(settings.slack, blobs=blobs)
    await channel.run(intake)

A send carries its key in the message's metadata: after one whose fate is unknown, the chat is asked for the key before it is repeated. What
only one person sees (ephemeral) cannot be asked for, nor edited.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import aiohttp
from slack_bolt.app.async_app import AsyncApp

from bot import lazy
from bot.channels.backoff import Backoff
from bot.channels.channel import Intake, Limits, OpenGroup, Past
from bot.channels.downloads import too_large
from bot.channels.slack_history import page as past_page
from bot.channels.slack_incoming import CHANNEL, THREAD, UNSEEN, Me, at, plain
from bot.channels.slack_links import permalink
from bot.channels.slack_listening import application, posted
from bot.channels.slack_outgoing import TEXT_UNITS
from bot.channels.slack_sending import Sending, WentOut
from bot.channels.slack_socket import over_a_socket
from bot.channels.slack_space import is_full
from bot.channels.slack_taking import Taking
from bot.channels.slack_wire import Wire
from bot.channels.slack_workspace import Workspace
from bot.config import MEBIBYTE, SlackSettings
from bot.errors import ChannelError, GoneError, RetryLaterError, SettingsError
from bot.locale import phrases
from bot.logs import Logger
from bot.message import Address, Attachment, Reply
from bot.passage import Scope
from bot.pulse import Pulse
from bot.skill import Blobs, CommandSpec

_ = phrases(__file__)
log = Logger(__name__)

UPLOAD_BYTES: Final = 1_000_000_000
FINISH_S: Final = 2.0
LONGEST_TOKEN_WAIT_S: Final = 300.0
THREAD_MESSAGES: Final = 1000
MEMBERS: Final = 1000
BELIEVED_S: Final = 60.0
"""How long Slack's word is good that a channel is open to its workspace."""
MOST_OPEN: Final = 10_000
_CLOSED: Final = ("is_im", "is_ext_shared", "is_org_shared", "is_pending_ext_shared")
"""What makes a channel one that others read than members of the workspace."""
_BOT_TOKEN: Final = lazy.compile(r"xox[be]-[\w.-]+", re.ASCII)
_APP_TOKEN: Final = lazy.compile(r"xapp-[\w.-]+", re.ASCII)


class Slack:
    """One app. Its `repr`, its errors and its log lines never hold a token."""

    name = CHANNEL
    groups = True

    def __init__(self, settings: SlackSettings, *, blobs: Blobs, backoff: Backoff | None = None) -> None:
        """Take the settings and the store of pictures.

        Raises:
            SettingsError: a token is none, or there is no way in.
        """
        self._tokens = [token.strip() for token in settings.bot_tokens.get_secret_value().split(",") if token.strip()]
        self._app_token = settings.app_token.get_secret_value().strip()
        self._signing = settings.signing_secret.get_secret_value().strip()
        _check(self._tokens, self._app_token, self._signing)
        self.account = ""
        self.accounts: frozenset[str] = frozenset()
        self.post = f"{self.name} {self._tokens[0].split('-')[1]}"
        self.limits = Limits(
            TEXT_UNITS,
            settings.download_mb * MEBIBYTE,
            UPLOAD_BYTES,
            edits=True,
            repeatable_sends=False,
            finds_sent=True,
            thumbs=True,
        )
        self.history_pause_s = 60.0 / settings.history_a_minute
        self._settings = settings
        self._blobs = blobs
        self._backoff = backoff or Backoff()
        self.pulse: Pulse = self._backoff.pulse
        self._workspaces: dict[str, Workspace] = {}
        self._settled: set[str] = set()
        """Tokens whose workspace is known, or that Slack takes no more: until all are, an unknown workspace may yet come."""
        self._home = ""
        """The workspace of the first token."""
        self._changes = 0
        self._open: dict[str, tuple[Scope | None, float]] = {}
        self._commands: tuple[CommandSpec, ...] = ()

    async def run(self, intake: Intake) -> None:
        """Take in messages until cancelled. A token that Slack does not know is told in the log, and tried again ever later.

        Raises:
            ChannelError: the port for Slack's requests cannot be had.
        """
        async with aiohttp.ClientSession(trust_env=True) as session:
            introducing = [asyncio.create_task(self._introduce(token, session)) for token in self._tokens]
            taking = Taking(
                intake, self._workspaces, commands=lambda: self._commands, settled=self._all_known, changed=self._changed
            )
            app = application(taking.take)
            try:
                if self._app_token:
                    self.pulse.rest()  # Slack may be away for hours; it is asked ever later
                    await asyncio.wait(introducing, return_when=asyncio.FIRST_COMPLETED)
                    asked = Wire(
                        self._app_token, base_url=self._settings.base_url, session=session, setting="PARING_SLACK__APP_TOKEN"
                    )
                    await over_a_socket(app, asked, session, self.pulse, self._backoff)
                else:
                    await self._listen(app, introducing)
            finally:
                for one in introducing:
                    one.cancel()
                self._settled.clear()
                await taking.finish(within_s=FINISH_S)
                for workspace in self._workspaces.values():
                    await workspace.finish(within_s=FINISH_S)
                self._workspaces.clear()  # their line is closed: what is to be sent meanwhile waits for the next start

    async def _listen(self, app: AsyncApp, introducing: Sequence[asyncio.Task[None]]) -> None:
        settings = self._settings
        async with posted(settings.events_host, settings.events_port, settings.events_path, app, signing_secret=self._signing):
            self.pulse.rest()
            await asyncio.wait(introducing, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.Event().wait()

    async def _introduce(self, token: str, session: aiohttp.ClientSession) -> None:
        """Ask Slack who the bot is with this token, until it answers."""
        wire, said, backoff = Wire(token, base_url=self._settings.base_url, session=session), "", Backoff()
        while True:
            try:
                me = Me.told(await wire.call("auth.test"))
            except ChannelError as error:
                if str(error) != said:
                    log.warning("Slack does not say who the bot is; it is asked again, ever later", why=str(error))
                said = str(error)
                if wire.lost:
                    self._settled.add(token)
                wait_s = error.retry_after_s if isinstance(error, RetryLaterError) else 0.0
                await backoff.wait(wait_s, most_s=LONGEST_TOKEN_WAIT_S)
                continue
            self._workspaces[me.team] = Workspace(me, wire, Sending(wire, self._blobs))
            self.account = self.account or me.team
            self._home = me.team if token == self._tokens[0] else self._home
            self.accounts |= {me.team}
            self._settled.add(token)
            self.pulse.reached()
            return

    def _all_known(self) -> bool:
        return self._settled >= set(self._tokens)

    async def send(self, reply: Reply, to: Address, *, key: str) -> str:
        """Send `reply`; see the contract."""
        return await self.send_parts(reply, to, key=key, edits="", sent=(), went_out=None)

    async def edit(self, sent: str, reply: Reply, to: Address) -> str:
        """Make `sent` show `reply`; where it can be edited no more, send it anew. A status that one alone sees stays as it is."""
        if to.thread.startswith(UNSEEN):
            return sent
        return await self.send_parts(reply, to, key=f"edit {sent}", edits=sent, sent=(), went_out=None)

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
        """Send `reply` (into the message `edits`, if any) from the part after those in `sent`; see `bot.delivery.PartByPart`."""
        here = self._of(to.account)
        if edits:
            shown = await here.sending.edit(edits, reply, to, key, sent=sent, in_doubt=in_doubt, went_out=went_out)
        else:
            shown = await here.sending.send(reply, to, key, sent=sent, in_doubt=in_doubt, went_out=went_out)
        place = await here.sending.place(to)
        here.spoke(place)
        if reply.reply_to:
            here.answered(place.chat, reply.reply_to)
        return shown

    async def typing(self, to: Address) -> None:
        """Show in a thread that it is worked on; elsewhere a bot cannot type in Slack, and the reaction on the message tells it."""
        here = self._workspaces.get(to.account)
        if here is not None:
            await here.works(to)

    async def member(self, person: str, scope: Scope) -> bool | None:
        """Ask Slack whether `person` is in the channel, or in the workspace; never raises."""
        here = self._workspaces.get(scope.path.split("/")[1]) if scope.path.startswith(f"{CHANNEL}/") else None
        if here is None or not person:
            return False if self._all_known() or not person else None
        try:
            if scope.kind == "workspace":
                user = (await here.wire.call("users.info", user=person)).get("user")
                return isinstance(user, dict) and is_full(user, here.me.team)
            return await self._is_in(here, person, scope.chat) if scope.kind == "group" else False
        except RetryLaterError:
            return None
        except ChannelError:
            return False

    async def _is_in(self, here: Workspace, person: str, chat: str) -> bool:
        async for page in here.wire.pages("conversations.members", channel=chat, limit=MEMBERS):
            if person in _members(page):
                return True
        return False

    async def workspace(self, chat: str) -> Scope | None:
        """Return the workspace whose members may all read the channel: a public one of one workspace; never raises."""
        known, until = self._open.get(chat, (None, 0.0))
        if until > time.monotonic():
            return known
        if len(self._open) >= MOST_OPEN:
            self._open.clear()
        changes = self._changes
        found = await self._opened(chat)
        if changes != self._changes:  # somebody came or left meanwhile: it is not known
            return None
        self._open[chat] = found, time.monotonic() + BELIEVED_S
        return found

    def _changed(self, chat: str) -> None:
        self._changes += 1
        self._open.pop(chat, None)

    async def _opened(self, chat: str) -> Scope | None:
        for team, here in list(self._workspaces.items()):  # one more may come while Slack is asked
            try:
                told = (await here.wire.call("conversations.info", channel=chat)).get("channel")
                known = told if isinstance(told, dict) else {}
                if any(known.get(sign) for sign in _CLOSED) or not (known.get("is_channel") or known.get("is_group")):
                    return None
                readers = [one async for page in here.wire.pages("conversations.members", channel=chat, limit=MEMBERS)
                           for one in _members(page)]  # fmt: skip
                all_full = bool(readers) and await here.space.all_full([one for one in readers if one != here.me.user])
            except RetryLaterError:
                return None
            except ChannelError:
                continue
            return Scope("workspace", f"{CHANNEL}/{team}") if all_full else None
        return None

    async def open_groups(self, account: str) -> Mapping[str, OpenGroup] | None:
        """Return the public channels of a workspace; see the contract."""
        here = self._workspaces.get(account)
        return await here.space.open_groups() if here is not None else None

    def address_of(self, link: str) -> str:
        """Return the permalink of a message; see the contract."""
        return permalink(link, {team: here.me.home for team, here in self._workspaces.items()})

    async def enter(self, group: Address) -> None:
        """Join a public channel."""
        await self._of(group.account).wire.call("conversations.join", channel=group.chat)

    async def history(self, group: Address, before: str) -> Past:
        """Return a page of what was said in a channel; see the contract."""
        here = self._of(group.account)
        return await past_page(here.wire, here.people, here.me, group.chat, before)

    async def role(self, person: str, *, anew: bool) -> str:
        """Return by which role in the first token's workspace `person` is an admin; see the contract."""
        here = self._workspaces.get(self._home)
        if here is None or self._settings.admins_from == "nobody":
            return ""
        return await here.space.role(person, self._settings.admins_from, anew=anew)

    async def fetch(self, attachment: Attachment, into: Path) -> None:
        """Download a file, or write down the thread that `attachment.ref` names.

        Raises:
            TooLargeError: over `limits.download_bytes`.
            RetryLaterError, ChannelError: it cannot be had now, or at all.
        """
        if attachment.size_bytes > self.limits.download_bytes:
            raise too_large(self.limits.download_bytes)
        team, _slash, ref = attachment.ref.partition("/")
        here = self._of(team)
        if ref.startswith(THREAD):
            await self._write_thread(here, ref.removeprefix(THREAD), into)
            return
        told = (await here.wire.call("files.info", file=ref)).get("file")
        known = told if isinstance(told, dict) else {}
        url, size = known.get("url_private_download") or known.get("url_private"), known.get("size")
        if isinstance(size, int) and size > self.limits.download_bytes:
            raise too_large(self.limits.download_bytes)
        if not isinstance(url, str):
            raise ChannelError(_("Slack does not give this file. The bot needs the right “files:read”; nothing was kept."))
        await here.wire.download(url, into, limit_bytes=self.limits.download_bytes)

    async def _write_thread(self, here: Workspace, ref: str, into: Path) -> None:
        """Write the thread before the message that called the bot: who said what, in Markdown. Raises as `fetch`."""
        chat, thread, until = (*ref.split("/"), "", "")[:3]
        lines: list[str] = []
        size = 0
        async for page in here.wire.pages(
            "conversations.replies", channel=chat, ts=thread, latest=until or None, limit=THREAD_MESSAGES
        ):
            listed = page.get("messages")
            for message in listed if isinstance(listed, list) else []:
                if isinstance(message, dict) and message.get("text") and message.get("ts") != until:
                    who = str(message.get("user") or message.get("bot_id") or "")
                    name = (await here.people.who(who)).name or str(message.get("username") or who)
                    lines.append(f"{name} ({at(str(message.get('ts', ''))):%Y-%m-%d %H:%M}): {plain(str(message['text']))}")
                    size += len(lines[-1].encode("utf-8", "replace"))
                    if size > self.limits.download_bytes:
                        raise too_large(self.limits.download_bytes)
        await asyncio.to_thread(into.write_text, "\n\n".join(lines), "utf-8")

    async def publish_commands(self, commands: Sequence[CommandSpec], admin_commands: Sequence[CommandSpec]) -> None:
        """Know which words after `/paring` are commands: Slack's own menu is in the app's manifest."""
        self._commands = (*commands, *admin_commands)

    def _of(self, team: str) -> Workspace:
        here = self._workspaces.get(team)
        if here is not None:
            return here
        if not self._all_known():
            raise RetryLaterError(_("Slack cannot be reached. Nothing was sent; it is tried again by itself."), retry_after_s=1.0)
        raise GoneError(_("I am in this Slack workspace no more: no token of it is set."))

    def __repr__(self) -> str:
        """Return a name without tokens."""
        return f"Slack({', '.join(sorted(self.accounts))})"


def _check(tokens: Sequence[str], app_token: str, signing: str) -> None:
    if strange := [place for place, token in enumerate(tokens, start=1) if not _BOT_TOKEN.fullmatch(token)]:
        raise SettingsError(
            _(
                "Entry {number} of PARING_SLACK__BOT_TOKENS is no bot token. One begins with xoxb- and stands on the app's page under "
                "“OAuth & Permissions”.",
                number=strange[0],
            )
        )
    if app_token and not _APP_TOKEN.fullmatch(app_token):
        raise SettingsError(
            _(
                "PARING_SLACK__APP_TOKEN is no app token. One begins with xapp- and is made on the app's page under “Basic Information”."
            )
        )
    if not app_token and not signing:
        raise SettingsError(
            _(
                "Slack has no way to reach the bot. Set PARING_SLACK__APP_TOKEN for Socket Mode, or PARING_SLACK__SIGNING_SECRET "
                "to listen for its requests."
            )
        )


def _members(page: Mapping[str, object]) -> list[str]:
    members = page.get("members")
    return [one for one in members if isinstance(one, str)] if isinstance(members, list) else []
