"""What is counted while the bot works: messages, answers and their stages, calls of models, sends. Told by the parts, as it happens.

    counts = Counts(Metrics())
    counts.answered("telegram", "search", 0.2, {"embed": 12.0})

Every call takes a few microseconds, on the event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

from bot.errors import ParingError, RetryLaterError
from bot.metrics import Metrics

if TYPE_CHECKING:
    from bot.message import Message
    from bot.models.places import Heard
    from bot.plans import Answer

_SENDS = {"AmbiguousSendError": "in_doubt", "GoneError": "gone"}


class Counts:
    """The counters of one bot."""

    def __init__(self, metrics: Metrics) -> None:
        """Count in `metrics`."""
        self.metrics = metrics
        self._messages = metrics.counter("paring_messages_total", "Messages, by what became of them.", ("channel", "outcome"))
        self._over = metrics.counter(
            "paring_over_quota_total", "Messages over a rate or a quota, told or left, by which.", ("channel", "quota")
        )
        self._thumbs = metrics.counter("paring_thumbs_total", "Thumbs under answers, up or down.", ("channel", "thumb"))
        self._errors = metrics.counter("paring_errors_total", "Errors that messages ended in, by class.", ("class",))
        self._seconds = metrics.histogram("paring_answer_seconds", "From the begin of the work to the answer.", ("skill",))
        self._lately = metrics.lately("paring_answer_lately_seconds", "The same, of each skill's last 200 answers.", ("skill",))
        self._stages = metrics.histogram("paring_stage_seconds", "Of an answer, by stage.", ("skill", "stage"))
        self._stages_lately = metrics.lately("paring_stage_lately_seconds", "The same, of the last 200.", ("skill", "stage"))
        self._calls = metrics.histogram("paring_model_seconds", "Of a call of a live model.", ("slot",))
        self._failures = metrics.counter("paring_model_failures_total", "Calls at which a live model failed.", ("slot",))
        self._sends = metrics.counter("paring_sends_total", "Tries to send, by what came of them.", ("channel", "outcome"))
        self._stuck = metrics.counter(
            "paring_channel_restarts_total", "Channels that were stuck and started again.", ("channel",)
        )

    def heard(self, message: Message, answer: Answer | BaseException, seconds: float) -> None:
        """Count a message and its answer, or what was raised instead."""
        channel = message.address.channel
        if isinstance(answer, BaseException):
            stopped = isinstance(answer, asyncio.CancelledError)
            outcome = "stopped" if stopped else "told" if isinstance(answer, ParingError) else "broken"
            self._messages.add(channel, outcome)
            if not stopped:
                self._errors.add(type(answer).__name__)
            return
        if not message.addressed:
            self._messages.add(channel, "overheard")
            return
        stages: dict[str, float] = {}
        for reply in answer.replies:
            stages |= dict(reply.receipt.stages_ms) if reply.receipt else {}
        self.answered(channel, answer.route.skill if answer.route else "", seconds, stages)

    def refused(self, channel: str) -> None:
        """Count a message that was not taken because too much waits."""
        self._messages.add(channel, "refused")

    def answered(self, channel: str, skill: str, seconds: float, stages_ms: Mapping[str, float]) -> None:
        """Count an answer."""
        self._messages.add(channel, "answered")
        self._seconds.observe(seconds, skill)
        self._lately.observe(seconds, skill)
        for stage, spent_ms in stages_ms.items():
            self._stages.observe(spent_ms / 1000, skill, stage)
            self._stages_lately.observe(spent_ms / 1000, skill, stage)

    def over_quota(self, channel: str, quota: str) -> None:
        """Count a message that was one too many."""
        self._over.add(channel, quota.replace(" ", "_"))

    def rated(self, channel: str, thumb: str) -> None:
        """Count a thumb under an answer, "up" or "down"."""
        self._thumbs.add(channel, thumb)

    def asked(self, call: Heard) -> None:
        """Count a call of a model."""
        if call.outputs is None:
            self._failures.add(call.slot)
        elif not call.bulk:
            self._calls.observe(call.spent_ms / 1000, call.slot)

    def sent(self, channel: str, error: BaseException | None) -> None:
        """Count a try to send."""
        if error is None:
            outcome = "sent"
        elif isinstance(error, RetryLaterError):
            outcome = "told_to_wait" if error.asked else "not_reached"
        else:
            outcome = _SENDS.get(type(error).__name__, "refused")
        self._sends.add(channel, outcome)

    def stuck(self, channel: str) -> None:
        """Count a channel that was stuck."""
        self._stuck.add(channel)
