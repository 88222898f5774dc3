"""A Telegram Bot API server on loopback, for tests: a process of its own that knows nothing of the bot.

    python tests/fakes/telegram_server.py --port 0 --token 7:TEST --username ParBot

The first line it prints is its port. The bot is pointed at http://127.0.0.1:PORT/bot and http://127.0.0.1:PORT/file/bot. Tests
play people and order faults through /_control/ (see telegram_bot_api/control.py; telegram_bot_api/client.py speaks it).
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from aiohttp import web
from telegram_bot_api.server import Server
from telegram_bot_api.world import World


async def serve(port: int, token: str, username: str, *, ends_with_stdin: bool) -> None:
    runner = web.AppRunner(
        Server(World(token, username)).application(), access_log=None, handler_cancellation=True, shutdown_timeout=0.5
    )
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    sys.stdout.write(f"{runner.addresses[0][1]}\n")
    sys.stdout.flush()
    try:
        await (asyncio.to_thread(sys.stdin.read) if ends_with_stdin else asyncio.Event().wait())
    finally:
        await runner.cleanup()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--token", default="7:TEST")
    parser.add_argument("--username", default="ParBot")
    parser.add_argument("--ends-with-stdin", action="store_true", help="end when standard input does: with whoever started it")
    arguments = parser.parse_args()
    asyncio.run(serve(arguments.port, arguments.token, arguments.username, ends_with_stdin=arguments.ends_with_stdin))


if __name__ == "__main__":
    main()
