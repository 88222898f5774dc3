"""What a whole bot keeps on every platform. A channel is tested by being listed: a class with its harness."""

from __future__ import annotations

from contract.harness.console import console
from contract.harness.matrix import matrix
from contract.harness.slack import slack
from contract.harness.telegram import telegram
from contract.harness.web import web
from contract.impossible import impossible

from bot.contract import BotContract


class TestTelegram(BotContract):
    harness = staticmethod(telegram)
    impossible = impossible("telegram")


class TestSlack(BotContract):
    harness = staticmethod(slack)
    impossible = impossible("slack")


class TestMatrix(BotContract):
    harness = staticmethod(matrix)
    impossible = impossible("matrix")


class TestWeb(BotContract):
    harness = staticmethod(web)
    impossible = impossible("web")


class TestConsole(BotContract):
    harness = staticmethod(console)
    impossible = impossible("console")
