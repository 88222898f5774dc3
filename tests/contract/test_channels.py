"""What every channel keeps. A channel is tested by being listed: a class with its harness."""

from __future__ import annotations

from contract.harness.console import console
from contract.harness.matrix import matrix
from contract.harness.slack import slack
from contract.harness.telegram import telegram
from contract.harness.web import web
from contract.impossible import impossible

from bot.contract import ChannelContract


class TestTelegram(ChannelContract):
    harness = staticmethod(telegram)
    impossible = impossible("telegram")


class TestSlack(ChannelContract):
    harness = staticmethod(slack)
    impossible = impossible("slack")


class TestMatrix(ChannelContract):
    harness = staticmethod(matrix)
    impossible = impossible("matrix")


class TestWeb(ChannelContract):
    harness = staticmethod(web)
    impossible = impossible("web")


class TestConsole(ChannelContract):
    harness = staticmethod(console)
    impossible = impossible("console")
