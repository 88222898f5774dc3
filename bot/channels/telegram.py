"""Telegram, over its Bot API: long polling or a webhook, direct chats, groups and their topics.

Owns the account, what is done with an update, and the files of the platform. Leaves to its neighbours: reading updates
(`telegram_incoming`, `telegram_addressing`, `telegram_files`), which of them are one thing said (`telegram_gather`), what is said
at the door (`telegram_door`), menus (`telegram_menu`), looks (`telegram_outgoing`, `rich_text`, `rich_split`),
sending (`telegram_sending`), the wire (`telegram_request`, `telegram_errors`, `telegram_polling`, `telegram_webhook`). No other
file imports the library.

    channel = Telegram(settings.telegram, blobs=blobs, admins=("4711",))
    await channel.run(intake)

What Telegram itself cannot promise: a send has no key of its own, so one whose answer was lost may have arrived
(AmbiguousSendError), and a split reply that a crash cut in two is known by its outbox row alone. A group that becomes a supergroup
gets a new id. Two service messages tell of it, or a refused send; sends follow it at once, and the intake carries over what is kept.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Collection, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from telegram.error import TelegramError

from bot import lazy
from bot.channels.backoff import LONGEST_WAIT_S, SLACK_S, Backoff
from bot.channels.channel import Intake, Limits
from bot.channels.rich_split import TEXT_UNITS
from bot.channels.telegram_addressing import Me
from bot.channels.telegram_door import Door
from bot.channels.telegram_errors import is_wrong_token, repeatable, translated, unfetched, wrong_token
from bot.channels.telegram_incoming import ALLOWED_UPDATES, CHANNEL
from bot.channels.telegram_members import is_member
from bot.channels.telegram_menu import Menu
from bot.channels.telegram_moving import Moves
from bot.channels.telegram_polling import POLL_S, Poller, Take
from bot.channels.telegram_request import ANSWER_S, READ_S, OverLimitError, RefusedError
from bot.channels.telegram_sending import Sending, WentOut
from bot.channels.telegram_taking import Taking
from bot.channels.telegram_wire import Wire, file_told
from bot.channels.waits import Waits
from bot.config import MEBIBYTE, TelegramSettings
from bot.errors import RetryLaterError, SettingsError, TooLargeError
from bot.locale import phrases
from bot.message import Address, Attachment, Reply
from bot.passage import Scope
from bot.skill import Blobs, CommandSpec

_ = phrases(__file__)

UPLOAD_BYTES = 50_000_000
"""Source: https://core.telegram.org/bots/api#senddocument"""
ANSWERS_S = 2.0
MEMBER_S = 5.0
"""How long an answer on a member may take; a question waits less long for it."""
LONGEST_TOKEN_WAIT_S = 300.0
"""How long the waits grow while Telegram does not know the token: somebody has to come and set it."""
_TOKEN = lazy.compile(r"(?P<id>\d+):[\w-]+", re.ASCII)
_CHAT = lazy.compile(r"-?\d{1,19}", re.ASCII)
_log = logging.getLogger(__name__)


class Telegram:
    """One bot account. Its `repr`, its errors and its log lines never hold the token."""

    name = CHANNEL
    groups = True

    def __init__(
        self,
        settings: TelegramSettings,
        *,
        blobs: Blobs,
        admins: Collection[str] = (),
        poll_s: int = POLL_S,
        read_s: float = READ_S,
        backoff: Backoff | None = None,
        waits: Waits | None = None,
    ) -> None:
        """Take the settings, the store of pictures, and the user ids of admins as they are now; see `admins_are`.

        `poll_s`: how long an empty long poll lasts; `read_s`: how long any other answer may take.

        Raises:
            SettingsError: the token is none, or a webhook has no secret.
        """
        token = settings.token.get_secret_value().strip()
        form = _TOKEN.fullmatch(token)
        if form is None:
            raise SettingsError(
                _(
                    "PARING_TELEGRAM__TOKEN is no bot token. One looks like 123456:ABC-DEF and comes from @BotFather; set it again."
                )
            )
        if settings.webhook_url:
            from bot.channels.telegram_webhook import check_secret  # noqa: PLC0415 - and a server where Telegram is to call

            check_secret(settings.webhook_secret.get_secret_value())
        self.account = form["id"]
        self.post = f"{self.name} {self.account}"
        self.limits = Limits(TEXT_UNITS, settings.download_mb * MEBIBYTE, UPLOAD_BYTES, edits=True, repeatable_sends=False)
        self._settings = settings
        self._poll_s, self._read_s = poll_s, read_s
        self._backoff = backoff or Backoff()
        self.pulse = self._backoff.pulse
        self._wire = Wire(token, settings, read_s=read_s)
        self._menu = Menu(self._wire, admins=admins)
        self._moves = Moves(self.account)
        self._sending = Sending(self._wire.bot, blobs, self._moves, waits or Waits())

    async def run(self, intake: Intake) -> None:
        """Take in messages until cancelled. A token that Telegram does not know is told in the log, and tried again ever later.

        Raises:
            ChannelError: the webhook cannot listen, or is refused.
        """
        await self._wire.request.initialize()
        await self._moves.begin(intake)
        door = Door(sending=self._sending, moves=self._moves)
        try:
            while True:
                me = await self._introduced()
                taking = Taking(
                    intake,
                    self._wire,
                    me,
                    self._sending,
                    door,
                    download_bytes=self.limits.download_bytes,
                    one_by_one=bool(self._settings.webhook_url),
                    pause=self._backoff.pause,
                )
                await self._take_in(taking)
        finally:
            await self._wire.request.shutdown()

    async def _take_in(self, taking: Taking) -> None:
        """Poll or listen; return where the token is valid no more."""
        try:
            if self._settings.webhook_url:
                await self._receive(taking.take)
            else:
                await Poller(
                    self._wire, taking.take, poll_s=self._poll_s, read_s=self._read_s, backoff=self._backoff, kept_out=taking.kept_out
                ).run()  # fmt: skip
        finally:
            await taking.finish(within_s=ANSWERS_S)

    async def send(self, reply: Reply, to: Address, *, key: str) -> str:
        """Send `reply`; in a group it quotes what it answers. Parts that were sent under `key` are not sent again.

        Raises:
            RetryLaterError, AmbiguousSendError, GoneError, ChannelError: as the contract says.
        """
        return await self._sending.send(reply, to, key)

    async def edit(self, sent: str, reply: Reply, to: Address) -> str:
        """Make `sent` show `reply`; where it can be edited no more, send it anew. Returns the id of the first message."""
        return await self._sending.edit(sent, reply, to)

    async def send_parts(
        self, reply: Reply, to: Address, *, key: str, edits: str, sent: Sequence[str], went_out: WentOut, in_doubt: bool = False
    ) -> str:
        """Send `reply` (into the message `edits`, if any) from the part after those in `sent`; see `bot.delivery.PartByPart`.

        `in_doubt` is told only where `edits` can be edited no more: Telegram cannot be asked what was sent.
        """
        if edits:
            return await self._sending.edit(edits, reply, to, sent=sent, went_out=went_out, in_doubt=in_doubt and not sent)
        return await self._sending.send(reply, to, key, sent=sent, went_out=went_out)

    async def typing(self, to: Address) -> None:
        """Show "typing" for about five seconds; returns at once. Never raises."""
        self._sending.type(to)

    async def member(self, person: str, scope: Scope) -> bool | None:
        """Ask Telegram whether `person` is in the group; where it refuses to tell (the bot is not there itself), the answer is no."""
        chat = self._moves.chat(scope.chat)
        if scope.kind != "group" or not person.isdecimal() or not _CHAT.fullmatch(chat):
            return False
        try:
            return is_member(await self._wire.call("getChatMember", read_s=MEMBER_S, chat_id=int(chat), user_id=int(person)))
        except TelegramError as error:
            house = repeatable(error)
            return None if isinstance(house, RetryLaterError) or is_wrong_token(error) else False

    async def workspace(self, chat: str) -> None:
        """Name none: Telegram's groups are in no workspace."""

    async def fetch(self, attachment: Attachment, into: Path) -> None:
        """Download the file that `attachment.ref` names. Its size is looked at before, and the bytes are counted on the way.

        Raises:
            TooLargeError: over `limits.download_bytes`, or over what the server gives.
            RetryLaterError, ChannelError: it cannot be had now, or at all.
        """
        limit = self.limits.download_bytes
        if attachment.size_bytes > limit:
            raise self._too_large()
        try:
            told = await self._wire.call("getFile", file_id=attachment.ref)
            path, size = file_told(told)
            if size > limit:
                raise self._too_large()
            await self._wire.download(path, into, limit_bytes=limit, told_bytes=size)
        except OverLimitError:
            raise self._too_large() from None
        except RefusedError as error:
            raise (self._too_large() if error.says("too big") else unfetched(error)) from None
        except TelegramError as error:
            raise unfetched(error) from None

    def admins_are(self, users: Collection[str]) -> None:
        """Know who the admins are: the next menus have admin commands for them; see `bot.roles`."""
        self._menu.admins = frozenset(users)

    async def publish_commands(self, commands: Sequence[CommandSpec], admin_commands: Sequence[CommandSpec]) -> None:
        """Set the menus; see `telegram_menu`. Raises RetryLaterError, ChannelError: to be called again."""
        await self._menu.publish(commands, admin_commands)

    async def _introduced(self) -> Me:
        """Ask Telegram for the bot's own name, until it answers."""
        said = ""
        while True:
            self.pulse.due(self._read_s + ANSWER_S + SLACK_S)
            try:
                told = await self._wire.call("getMe")
            except TelegramError as error:
                unknown = is_wrong_token(error, asked_for_itself=True)
                sentence = str(wrong_token()) if unknown else f"Telegram cannot be reached ({error.message})."
                level = logging.DEBUG if sentence == said else logging.ERROR if unknown else logging.WARNING
                _log.log(level, "%s It is tried again, ever later.", sentence)
                said = sentence
                wait_s = error.retry_after_s if isinstance(error, RefusedError) else 0.0
                await self._backoff.wait(wait_s, most_s=LONGEST_TOKEN_WAIT_S if unknown else LONGEST_WAIT_S)
            else:
                if self._backoff.succeeded():
                    _log.warning("Telegram is reached.")
                self.pulse.reached()
                return _me(told, self.account)

    async def _receive(self, take: Take) -> None:
        """Listen for the webhook, then tell Telegram of it; stay until cancelled, or return where the token is valid no more."""
        from bot.channels.telegram_webhook import listening  # noqa: PLC0415 - loaded by now

        settings = self._settings
        secret = settings.webhook_secret.get_secret_value()
        path = urlsplit(settings.webhook_url).path
        async with listening(settings.webhook_host, settings.webhook_port, secret, take, path=path):
            while True:
                self.pulse.due(self._read_s + ANSWER_S + SLACK_S)
                try:
                    await self._wire.bot.set_webhook(settings.webhook_url, secret_token=secret, allowed_updates=ALLOWED_UPDATES)
                    break
                except RefusedError as error:
                    if is_wrong_token(error):
                        return
                    house = translated(error)
                    if not isinstance(house, RetryLaterError):
                        raise house from None
                    await self._backoff.wait(house.retry_after_s)
                except TelegramError as error:
                    _log.warning("The webhook could not be set (%s); trying again.", error.message)
                    await self._backoff.wait()
            self._backoff.succeeded()
            self.pulse.reached()
            self.pulse.rest()
            await asyncio.Event().wait()

    def _too_large(self) -> TooLargeError:
        return TooLargeError(
            _(
                "Telegram gives files of up to {limit} MB to a bot. Nothing was kept; please send a smaller one.",
                limit=self._settings.download_mb,
            )
        )


def _me(told: object, account: str) -> Me:
    """Return who getMe says the bot is; where it leaves something out, what the token says."""
    answer = told if isinstance(told, dict) else {}
    number = answer.get("id")
    return Me(number if isinstance(number, int) else int(account), str(answer.get("username") or ""), account)
