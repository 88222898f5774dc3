"""The contract of every channel and of a whole bot, in encrypted rooms of Matrix: `benchmarks.contract` runs it, after the others.

It stands beside the tests for its minute: they hold encrypted rooms to what is special there, and one whole conversation.
"""

from __future__ import annotations

from contract.harness.matrix import matrix_encrypted
from contract.impossible import impossible

from bot.contract import BotContract, ChannelContract


class TestMatrixEncrypted(ChannelContract):
    """The channel by itself."""

    harness = staticmethod(matrix_encrypted)
    impossible = impossible("matrix")


class TestMatrixEncryptedWhole(BotContract):
    """The whole bot."""

    harness = staticmethod(matrix_encrypted)
    impossible = impossible("matrix")
