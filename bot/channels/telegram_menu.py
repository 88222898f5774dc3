"""The command menu: for direct chats, for groups, and for each admin's own chat, in English (the default) and in Korean.

Owns which menus were set, so that who is no admin any more gets everybody's menu back. Leaves to `telegram.py` when.

    menu = Menu(wire, admins=("4711",))
    await menu.publish(commands, admin_commands)
"""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Sequence

from telegram import (
    BotCommand,
    BotCommandScope,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeChat,
)
from telegram.error import TelegramError

from bot import lazy
from bot.channels.rich_split import shorten
from bot.channels.telegram_errors import is_wrong_token, repeatable, translated, wrong_token
from bot.channels.telegram_request import RefusedError
from bot.channels.telegram_wire import Wire
from bot.errors import ChannelError, RetryLaterError
from bot.locale import Language
from bot.skill import CommandSpec

COMMANDS = 100
DESCRIPTION_UNITS = 256
"""Source: https://core.telegram.org/bots/api#setmycommands"""
TOKEN_RETRY_S = 60.0
_NOT_FOUND = 404
_LANGUAGES: tuple[tuple[Language, str | None], ...] = (("en", None), ("ko", "ko"))
"""Languages of a menu, and under which code it is set: None for everybody who has no other."""
_COMMAND_NAME = lazy.compile(r"[a-z0-9_]{1,32}", re.ASCII)
_log = logging.getLogger(__name__)


class Menu:
    """The menus of one bot."""

    def __init__(self, wire: Wire, *, admins: Collection[str]) -> None:
        """Set them over `wire`; `admins` are the numbers of those whose menu has admin commands."""
        self._wire = wire
        self.admins = frozenset(admins)
        self._own: set[str] = set()
        """Whose chat has a menu of its own."""

    async def publish(self, commands: Sequence[CommandSpec], admin_commands: Sequence[CommandSpec]) -> None:
        """Set every menu; who was an admin when this was last called, and is none, has everybody's again.

        Raises:
            RetryLaterError, ChannelError: not all of it could be set; to be called again.
        """
        everybody = [BotCommandScopeAllPrivateChats(), BotCommandScopeAllGroupChats()]
        scopes: list[tuple[BotCommandScope, Sequence[CommandSpec]]] = [(scope, commands) for scope in everybody]
        numbers = sorted(admin for admin in self.admins if admin.isdecimal())
        scopes.extend((BotCommandScopeChat(int(admin)), [*commands, *admin_commands]) for admin in numbers)
        scopes.extend((BotCommandScopeChat(int(former)), ()) for former in sorted(self._own.difference(numbers)))
        self._own.update(numbers)
        refused: ChannelError | None = None
        for scope, specs in scopes:
            for language, code in _LANGUAGES:
                try:
                    await self._set(_menu(specs, language), scope, code)
                except RetryLaterError:
                    raise
                except ChannelError as error:  # a server may know one scope or language and not another
                    refused = refused or error
        if refused is not None:
            raise refused
        self._own.intersection_update(numbers)

    async def _set(self, menu: list[BotCommand], scope: BotCommandScope, code: str | None) -> None:
        """Set one menu, or take it away where nothing is in it."""
        bot = self._wire.bot
        try:
            if menu:
                await bot.set_my_commands(menu, scope=scope, language_code=code)
            else:
                await bot.delete_my_commands(scope=scope, language_code=code)
        except RefusedError as error:
            if is_wrong_token(error):
                raise RetryLaterError(wrong_token().text, retry_after_s=TOKEN_RETRY_S) from None
            if error.code == _NOT_FOUND:
                _log.info("This Bot API server knows no command menus.")
                return
            if not isinstance(scope, BotCommandScopeChat) or not error.says("chat not found", "peer id invalid"):
                raise translated(error) from None
            _log.info("An admin has not written to the bot yet: the menu of that chat is not set.")
        except TelegramError as error:
            raise repeatable(error) from None


def _menu(specs: Sequence[CommandSpec], language: Language) -> list[BotCommand]:
    """Return the listed commands as Telegram takes them: at most 100, named in small letters, each with a description."""
    listed = [spec for spec in specs if spec.listed and _COMMAND_NAME.fullmatch(spec.name)]
    return [BotCommand(spec.name, shorten(spec.summary.to(language), DESCRIPTION_UNITS)) for spec in listed[:COMMANDS]]
