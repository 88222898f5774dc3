"""Keeps a loop alive: what breaks is logged and started again, ever more slowly; what cannot be healed is told and left.

await supervise("telegram", lambda: channel.run(intake))
"""

from __future__ import annotations

import asyncio
import errno
import time
from collections.abc import Awaitable, Callable

from bot.channels.channel import ChannelError, RetryLaterError
from bot.errors import SettingsError, StoreError, refusal
from bot.locale import Text
from bot.logs import Logger

log = Logger(__name__)

FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 60.0
HEALTHY_AFTER_S = 120.0
_OF_THE_DISK = frozenset({errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EIO})


async def supervise(name: str, work: Callable[[], Awaitable[None]], *, hopeless: Callable[[Text], None] | None = None) -> None:
    """Run `work` until it returns, is cancelled, or says that it cannot be healed (`hopeless` is then told the sentence)."""
    wait_s = FIRST_WAIT_S
    while True:
        begun = time.monotonic()
        try:
            return await work()
        except RetryLaterError as error:
            log.warning("waits", part=name, why=str(error), wait_s=wait_s)
        except (ChannelError, SettingsError) as error:
            if hopeless is None:
                log.error("stopped", part=name, why=str(error))
            else:
                hopeless(error.text)
            return None
        except StoreError as error:  # a disk that is full, a database that is damaged or locked: it may be mended meanwhile
            log.error("the store failed; it is started again", part=name, why=str(error), wait_s=wait_s)
        except Exception as error:  # the bot must outlive any of its parts
            if isinstance(error, OSError) and error.errno in _OF_THE_DISK:
                log.error("the disk refused; it is started again", part=name, why=str(refusal(error)), wait_s=wait_s)
            else:
                log.exception("broke and is started again", part=name, wait_s=wait_s)
        if time.monotonic() - begun > HEALTHY_AFTER_S:
            wait_s = FIRST_WAIT_S
        await asyncio.sleep(wait_s)
        wait_s = min(2 * wait_s, LONGEST_WAIT_S)
