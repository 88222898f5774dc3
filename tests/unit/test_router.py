"""From probabilities to a decision, and when the router learns."""

from pathlib import Path
from typing import cast

import numpy as np
import pytest

import bot.router
from bot.config import Settings
from bot.models.pool import Pool
from bot.models.spec import ModelSpec
from bot.models.tasks import ROUTE, RouteInput, RouteScores
from bot.router import Decision, Feedback, Router, decide, relearn
from bot.skill import Models

SPEC = ModelSpec("route.linear.v1", "route", "linear-head", "builtin")


def scores(*ranked: tuple[str, float]) -> RouteScores:
    return RouteScores(tuple(sorted(ranked, key=lambda one: -one[1])), none_below=0.4, ask_within=0.1, because=("plan",))


def test_a_clear_skill_answers() -> None:
    decision = decide(scores(("search", 0.8), ("chat", 0.15), ("none", 0.05)))
    assert decision == Decision("search", 0.8, "chat", 0.15, "answer", ("plan",))


def test_two_close_skills_are_asked_about() -> None:
    decision = decide(scores(("search", 0.5), ("chat", 0.45), ("none", 0.05)))
    assert (decision.skill, decision.runner_up, decision.action) == ("search", "chat", "ask")


def test_none_before_every_skill_serves_nobody_and_names_the_nearest() -> None:
    decision = decide(scores(("search", 0.3), ("chat", 0.1), ("none", 0.6)))
    assert decision == Decision("none", 0.6, "search", 0.3, "none", ("plan",))


def test_a_skill_below_its_limit_serves_nobody() -> None:
    assert decide(scores(("search", 0.39), ("chat", 0.31), ("none", 0.3))).action == "none"


def test_none_is_never_the_runner_up_of_a_skill() -> None:
    assert decide(scores(("search", 0.5), ("none", 0.49), ("chat", 0.01))).runner_up == "chat"


@pytest.mark.parametrize("ranked", [(), (("none", 1.0),), (("search", 1.0),), (("search", 0.9), ("none", 0.1))])
def test_few_labels_are_enough(ranked: tuple[tuple[str, float], ...]) -> None:
    assert decide(scores(*ranked)).action in ("answer", "none")


class Fixed:
    """Models that answer the slot `route` with what was said to them."""

    async def run(self, slot: object, batch: list[RouteInput], *, bulk: bool = False) -> list[RouteScores]:
        assert slot is ROUTE
        return [scores((item.text, 0.9), ("none", 0.1)) for item in batch]


async def test_the_live_head_is_asked() -> None:
    decision = await Router(cast("Models", Fixed())).decide("search", "en", np.zeros(3, np.float32))
    assert decision.skill == "search"


class Slots:
    """A pool that notes what is published."""

    def __init__(self, live: str) -> None:
        self.name = live
        self.published: list[ModelSpec] = []

    def live(self, slot: object) -> str:
        return self.name

    async def publish(self, slot: object, spec: ModelSpec) -> None:
        self.published.append(spec)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    made: list[bool] = []
    monkeypatch.setattr(bot.router, "prepared_head", lambda _settings, _name, newest: made.append(newest))
    monkeypatch.setattr(bot.router, "stale", lambda _settings, _name: True)
    return made


@pytest.mark.parametrize(
    ("live", "labels", "learns"),
    [
        ("route.linear.v1@1", [Feedback("hi", "en", "chat")], True),
        ("route.linear.v1@1", [], False),
        ("mine", [Feedback("hi", "en", "chat")], False),
    ],
)
async def test_new_labels_make_a_new_head(
    tmp_path: Path, made: list[bool], live: str, labels: list[Feedback], learns: bool
) -> None:
    pool = Slots(live)
    assert await relearn(labels, cast("Pool", pool), SPEC, Settings(home=tmp_path)) is learns
    assert pool.published == ([SPEC] if learns else [])
    assert made == ([True] if learns else [])
