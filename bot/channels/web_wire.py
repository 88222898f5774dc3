"""A connection of the page's server, bounded: in how long a request may take to come, and in how many connections there are.

Owns what uvicorn leaves open: the head of a request that never ends, a body that trickles, more connections than the process has
descriptors for. Leaves to h11 how long a head may be (16 KiB), to `bot.channels.web_routes` how large a body.

    uvicorn.Config(application, http=BoundedConnection)
"""

from __future__ import annotations

import asyncio
import time
from typing import Final

from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_S: Final = 10.0
"""How long a request's head may take, and a connection wait for its first one."""
BODY_S: Final = 30.0
"""How long a body may take without regard to its size …"""
SLOWEST_BYTES_S: Final = 8 * 1024
"""… and how fast it comes beyond that, in bytes a second."""
MOST_CONNECTIONS: Final = 256
"""One more ends the oldest one that waits for a request; where none waits, it is not taken."""
LOOK_S: Final = 1.0


class BoundedConnection(H11Protocol):
    """A connection by HTTP/1.1."""

    _since = 0.0
    _bytes = 0
    _paused_s = 0.0
    _clock: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Take the connection, where there is room for it."""
        super().connection_made(transport)
        self._since = time.monotonic()
        if len(self.connections) > MOST_CONNECTIONS and not self._end_another():
            transport.abort()
            return
        self._clock = self.loop.call_later(LOOK_S, self._look)

    def data_received(self, data: bytes) -> None:
        """Take bytes in; a request that begins has its time from now on."""
        before = self.cycle
        super().data_received(data)
        if self.cycle is not before:
            self._begin()
        self._bytes += len(data)

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        self._begin()
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """End the clock."""
        if self._clock is not None:
            self._clock.cancel()
        super().connection_lost(exc)

    @property
    def waits(self) -> bool:
        """Whether no request is being answered."""
        return self.cycle is None or self.cycle.response_complete

    def _begin(self) -> None:
        self._since, self._bytes, self._paused_s = time.monotonic(), 0, 0.0

    def _look(self) -> None:
        """End the connection where what it brings takes too long; look again soon."""
        if self.transport.is_closing() or self.transport.get_protocol() is not self:  # a socket by now, which has its own pings
            return
        self._paused_s += LOOK_S if self.flow.read_paused else 0.0
        lasted_s = time.monotonic() - self._since - self._paused_s
        late = self.waits and lasted_s > HEAD_S
        late = late or (not self.waits and self.cycle.more_body and lasted_s > BODY_S + self._bytes / SLOWEST_BYTES_S)
        if late:
            self.transport.abort()
        else:
            self._clock = self.loop.call_later(LOOK_S, self._look)

    def _end_another(self) -> bool:
        """End the connection that has waited longest for a request; False where none waits."""
        waiting = [one for one in self.connections if isinstance(one, BoundedConnection) and one is not self and one.waits]
        if not waiting:
            return False
        oldest = min(waiting, key=lambda one: one._since)  # noqa: SLF001 - one of us
        self.connections.discard(oldest)
        oldest.transport.abort()
        return True
