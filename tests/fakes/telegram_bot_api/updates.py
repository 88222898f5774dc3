"""How updates reach the bot: long-polled getUpdates, or posts to a webhook."""

from __future__ import annotations

import asyncio
import logging

import aiohttp

from .answers import OTHER_POLL, WEBHOOK_ACTIVE, Json, Refusal, bad
from .parameters import Parameters
from .world import World

POLL_MAX_S = 50
HOOK_RETRY_S = 0.2
HOOK_TIMEOUT_S = 5.0
_log = logging.getLogger(__name__)


class Updates:
    """Fetching and delivering. At most one poll is open: a new one ends the old one with 409."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._poll = 0
        self._delivering: asyncio.Task[None] | None = None

    async def get(self, parameters: Parameters) -> list[Json]:
        if self._world.hook.url:
            raise Refusal(*WEBHOOK_ACTIVE)
        self._poll += 1
        mine = self._poll
        self._want(parameters)
        offset = parameters.integer("offset")
        if offset:
            self._world.confirm(offset)
        await self._world.tell()
        limit = min(max(parameters.integer("limit", 100), 1), 100)
        try:
            async with asyncio.timeout(min(max(parameters.integer("timeout"), 0), POLL_MAX_S)), self._world.changed:
                await self._world.changed.wait_for(lambda: self._world.updates or self._poll != mine)
        except TimeoutError:
            pass
        if self._poll != mine:
            raise Refusal(*OTHER_POLL)
        return self._world.updates[:limit]

    async def set_webhook(self, parameters: Parameters) -> bool:
        url = parameters.text("url")
        if url and not url.startswith(("https://", "http://127.0.0.1", "http://localhost")):
            raise bad("bad webhook: An HTTPS URL must be provided for webhook")
        self._want(parameters)
        if parameters.flag("drop_pending_updates"):
            self._world.updates.clear()
        self._world.hook.url, self._world.hook.secret = url, parameters.text("secret_token")
        self._poll += 1
        await self._world.tell()
        if url and (self._delivering is None or self._delivering.done()):
            self._delivering = asyncio.create_task(self._deliver())
        return True

    async def delete_webhook(self, parameters: Parameters) -> bool:
        parameters.values["url"] = ""
        return await self.set_webhook(parameters)

    async def webhook_info(self, _parameters: Parameters) -> Json:
        hook = self._world.hook
        error = {"last_error_message": hook.last_error} if hook.last_error else {}
        waiting = len(self._world.updates)
        return {"url": hook.url, "has_custom_certificate": False, "pending_update_count": waiting, **error}

    async def close(self) -> None:
        if self._delivering is not None:
            self._delivering.cancel()
            await asyncio.gather(self._delivering, return_exceptions=True)

    def _want(self, parameters: Parameters) -> None:
        wanted = parameters.parsed("allowed_updates", list, "allowed_updates")
        if wanted is not None:
            self._world.allowed = [str(kind) for kind in wanted]

    async def _deliver(self) -> None:
        """Post one update after the other; one that is not answered with 2xx is posted again."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=HOOK_TIMEOUT_S)) as session:
            while self._world.hook.url:
                async with self._world.changed:
                    await self._world.changed.wait_for(lambda: self._world.updates or not self._world.hook.url)
                if not self._world.hook.url:
                    return
                update = self._world.updates[0]
                if await self._post(session, update):
                    self._world.confirm(update["update_id"] + 1)
                    await self._world.tell()
                else:
                    await asyncio.sleep(HOOK_RETRY_S)

    async def _post(self, session: aiohttp.ClientSession, update: Json) -> bool:
        hook = self._world.hook
        headers = {"X-Telegram-Bot-Api-Secret-Token": hook.secret} if hook.secret else {}
        try:
            async with session.post(hook.url, json=update, headers=headers) as answer:
                if 200 <= answer.status <= 299:
                    return True
                hook.last_error = f"Wrong response from the webhook: {answer.status} {answer.reason}"
        except (aiohttp.ClientError, TimeoutError) as error:
            hook.last_error = f"Connection failed: {type(error).__name__}"
        return False
