"""What Telegram's refusals mean, as the house's own errors, each with a sentence.

Owns the table of descriptions. Leaves to `telegram_request` how one learns of them. Every error is raised `from None`, because
the foreign one may hold the token's address in a frame of its own.

Source: https://core.telegram.org/bots/api#making-requests (the descriptions are the server's, of tdlib/telegram-bot-api)
"""

from __future__ import annotations

from telegram.error import TelegramError

from bot.channels.telegram_request import RefusedError, UnansweredError, UnreachedError
from bot.errors import AmbiguousSendError, ChannelError, GoneError, RetryLaterError
from bot.locale import phrases

_ = phrases(__file__)

UNREACHED_RETRY_S = 2.0
UNKNOWN_RETRY_S = 30.0
"""Somebody has to set the right token: what waits is kept for then."""
REPEAT_RETRY_S = 1.0
FLOOD_RETRY_S = 1.0
"""Where a 429 names no time to wait."""
_UNAUTHORIZED = 401
_FORBIDDEN = 403
_NOT_FOUND = 404
_CONFLICT = 409
"""Of who else uses the token, never of what is sent."""
_TOO_LONG = 413
_FLOOD = 429
_UNAVAILABLE = 503
_GONE = (
    "chat not found",
    "peer id invalid",
    "user not found",
    "user is deactivated",
    "group chat was deactivated",
    "channel private",
    "bot was kicked",
    "bot was blocked",
    "bot is not a member",
)


def translated(error: TelegramError) -> ChannelError:
    """Return the house's error for what a call ended in; to be raised `from None`."""
    if isinstance(error, RefusedError):
        return _refused(error)
    if isinstance(error, UnreachedError):
        sentence = _("Telegram cannot be reached. Nothing was sent; it is tried again by itself.")
        return RetryLaterError(sentence, retry_after_s=UNREACHED_RETRY_S)
    if isinstance(error, UnansweredError):
        return AmbiguousSendError(_("Telegram did not answer. The message may have arrived or not."))
    return ChannelError(_("Telegram did not take it: {reason}", reason=error.message))


def repeatable(error: TelegramError) -> ChannelError:
    """Return the house's error for a call that does no harm when it is repeated: not to know its fate is to try again."""
    if isinstance(error, UnansweredError):
        sentence = _("Telegram did not answer. It is tried again by itself.")
        return RetryLaterError(sentence, retry_after_s=REPEAT_RETRY_S)
    return translated(error)


def unfetched(error: TelegramError) -> ChannelError:
    """Return the house's error for a file that did not come. Its sentence is also what a person reads when no try helped."""
    house = repeatable(error)
    if isinstance(house, RetryLaterError):
        sentence = _("The file did not come from Telegram, though I asked again. Nothing was kept; please send it once more.")
        return RetryLaterError(sentence, retry_after_s=house.retry_after_s)
    if isinstance(error, RefusedError):
        sentence = _(
            "Telegram does not give this file ({reason}). Nothing was kept; please send it again.", reason=error.description
        )
        return ChannelError(sentence)
    return house


def is_wrong_token(error: TelegramError, *, asked_for_itself: bool = False) -> bool:
    """Say whether the token is not (or no longer) valid; a malformed one is told as 404, which only getMe shows for sure."""
    codes = (_UNAUTHORIZED, _NOT_FOUND) if asked_for_itself else (_UNAUTHORIZED,)
    return isinstance(error, RefusedError) and error.code in codes


def wrong_token() -> ChannelError:
    """Return the error for a token that Telegram does not know."""
    return ChannelError(
        _("Telegram does not know this token. Set PARING_TELEGRAM__TOKEN to the one that @BotFather gives, and start again.")
    )


def flooded(retry_after_s: float = 0.0) -> RetryLaterError:
    """Return the error for a chat in which Telegram asks to wait."""
    sentence = _("Telegram asks to wait. Nothing was sent; it is tried again by itself.")
    return RetryLaterError(sentence, retry_after_s=retry_after_s or FLOOD_RETRY_S, asked=True)


def _refused(error: RefusedError) -> ChannelError:
    if error.code == _FLOOD:
        return flooded(error.retry_after_s)
    if error.code in (_UNAVAILABLE, _CONFLICT):
        sentence = _("Telegram cannot be reached. Nothing was sent; it is tried again by itself.")
        return RetryLaterError(sentence, retry_after_s=error.retry_after_s or UNREACHED_RETRY_S)
    if error.code == _UNAUTHORIZED:
        return RetryLaterError(wrong_token().text, retry_after_s=UNKNOWN_RETRY_S)
    if error.code == _FORBIDDEN or error.says(*_GONE):
        return GoneError(_("Telegram lets the bot write there no more: {reason}", reason=error.description))
    if error.code == _TOO_LONG:
        return ChannelError(_("Telegram takes no file of this size. The answer's text was kept; ask for a smaller file."))
    return ChannelError(_("Telegram did not take it: {reason}", reason=error.description))
