"""What every channel keeps, as tests: for the project's own channels, and for those of strangers' packages. Needs pytest and pytest-asyncio.

Owns the behaviours (each a test method whose docstring names it) and what is told of one that a platform makes impossible. Leaves
to a channel's author a Harness: the other side of the platform, as people there have it.

    from bot.contract import ChannelContract, Harness

    class Irc(Harness): ...

    @asynccontextmanager
    async def irc(folder: Path) -> AsyncIterator[Irc]: ...   # starts a server, or a fake of one

    class TestIrc(ChannelContract):
        harness = staticmethod(irc)
        impossible = {"a_picture_goes_out_with_its_words": "IRC carries text alone: https://www.rfc-editor.org/rfc/rfc2812"}
"""

import pytest

pytest.register_assert_rewrite(
    *(f"bot.contract.{name}" for name in ("answering", "bot", "coming_in", "going_out", "manners", "stage"))
)

from bot.contract.answering import Answering  # noqa: E402 - asserts are told in full only where pytest knows before
from bot.contract.coming_in import ComingIn  # noqa: E402
from bot.contract.going_out import GoingOut  # noqa: E402
from bot.contract.harness import File, Harness, Shown, Trouble, Who  # noqa: E402
from bot.contract.intake import KeptIntake  # noqa: E402
from bot.contract.manners import Manners  # noqa: E402
from bot.contract.stage import Stage  # noqa: E402
from bot.contract.suite import Suite, behaviours_of  # noqa: E402

__all__ = [
    "BotContract", "ChannelContract", "File", "Harness", "KeptIntake", "Shown", "Stage", "Suite", "Trouble", "Who", "behaviours_of",
]  # fmt: skip


class ChannelContract(ComingIn, GoingOut):
    """What every channel keeps by itself. A subclass of a name that begins with Test, with its `harness`, is a channel tested."""


class BotContract(Answering, Manners):
    """What a whole bot keeps on a platform, as people there see it. A subclass as of ChannelContract."""
