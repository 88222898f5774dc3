"""IRC keeps Paring's contract of a channel, over a real server."""

from __future__ import annotations

import pytest
from irc_harness import irc
from irc_impossible import IMPOSSIBLE
from ircd import NGIRCD

from bot.contract import ChannelContract

if not NGIRCD.exists():
    pytest.skip("ngircd is not installed", allow_module_level=True)


class TestIrc(ChannelContract):
    harness = staticmethod(irc)
    impossible = IMPOSSIBLE
