"""Looks a name up as the system does (hosts, DNS, whatever it is set to), in a child that ends with the deadline.

`getaddrinfo` cannot be stopped: a name whose servers do not answer holds a thread for as long as the system goes on asking, and as many
links to such names as there are threads would hold everything else that runs on threads. A child of its own costs some 20 ms, is killed in time,
and keeps what a hostile server answers out of the bot's memory.

    await addresses_of("example.org", 443)     # ["2606:2800:220:1::1", "93.184.215.14"]
"""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress
from typing import Final

LOOKUP_S: Final = 6.0
"""A name that takes longer has no server that answers."""
MOST_ADDRESSES: Final = 64
KEPT: Final = ("LD_LIBRARY_PATH", "LOCALDOMAIN", "RES_OPTIONS")
"""What of the environment decides how names are looked up; nothing else goes along, no secret above all."""
LOOK = """
import _socket, sys
try:
    found = _socket.getaddrinfo(sys.argv[1], int(sys.argv[2]), 0, _socket.SOCK_STREAM)
except _socket.gaierror:
    found = []
print(*dict.fromkeys(one[4][0] for one in found), end="")
"""


async def addresses_of(host: str, port: int) -> list[str]:
    """Return the addresses of `host` in the system's order of preference, [] where it has none or nobody answers in time.

    Raises:
        OSError: no child can be started.
    """
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-S", "-c", LOOK, host, str(port),
        env={name: os.environ[name] for name in KEPT if name in os.environ},
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with asyncio.timeout(LOOKUP_S):
            said, _nothing = await child.communicate()
    except TimeoutError:
        return []
    finally:
        if child.returncode is None:
            with suppress(ProcessLookupError):
                child.kill()
            await child.wait()
    return said.decode("ascii", "replace").split()[:MOST_ADDRESSES] if child.returncode == 0 else []
