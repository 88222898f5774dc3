"""Swaps of real summary models: tried, promoted, refused, taken back; one at a time in a slot, and nothing lost by a stop."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.errors import InputError, ModelError, UnsafeModelError
from bot.models import fetch
from bot.models.places import Heard
from bot.models.tasks import SUMMARISE, SummaryInput
from bot.models.trial import Step, Swap
from bot.models.trying import Trying

from .swapping import EXTRACT, LEAD, LEXRANK, House, a_house, figures_of

TEXT = SummaryInput.of(
    "The lease of the office ends in April. The canteen serves lunch from noon. The lease has to be ended in writing. "
    "Moving boxes are ordered by Dana. The new office is by the river, and the lease there begins in May.",
    language="en",
    length="short",
)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with a_house(tmp_path / "home") as opened:
        yield opened


async def proposed(house: House, word: str = "lexrank", **options: object) -> Swap:
    return await house.swapper.propose("summarise", word, by="test:ann", origin="here", tell=house.tell, **options)  # type: ignore[arg-type]


async def test_a_swap_is_told_step_by_step_in_one_line_and_ends_in_a_card(house: House) -> None:
    swap = await proposed(house)

    assert (swap.state, swap.step, swap.model, swap.before) == ("reported", "report", LEXRANK, EXTRACT)
    assert swap.card is not None
    assert (swap.card.new.model, swap.card.old and swap.card.old.model, swap.card.passed) == (LEXRANK, EXTRACT, True)
    assert house.told[-1] == "**Swap summarise → lexrank** ✓ resolved · ✓ verified · 12 of 40"
    assert house.pool.live(SUMMARISE) == EXTRACT
    assert swap.said["en"] == "The card is there: promote it, try it in the shadow, or discard it."
    assert set(swap.said) == {"ko", "en"}
    assert swap.said["ko"] != swap.said["en"]


async def test_the_live_model_is_tried_once_and_the_new_one_each_time(house: House) -> None:
    await proposed(house)
    await proposed(house)

    assert house.probed == [LEXRANK, EXTRACT, LEXRANK]


async def test_promoted_it_answers_and_is_assigned_and_watched(house: House) -> None:
    before = (await house.pool.run(SUMMARISE, [TEXT]))[0]
    swap = await house.live_now("lead")

    assert (swap.state, swap.step) == ("watched", "watch")
    assert await house.assignments.all() == {"summarise": LEAD}
    assert house.pool.live(SUMMARISE) == LEAD
    assert (await house.pool.run(SUMMARISE, [TEXT]))[0] != before
    assert "40 answers or 30 minutes" in swap.said["en"]


async def test_a_word_that_names_nothing_changes_nothing(house: House) -> None:
    with pytest.raises(ModelError, match="no model"):
        await proposed(house, "nowhere")
    with pytest.raises(InputError, match="There is no slot “drumming”"):
        await house.swapper.propose("drumming", "x", by="a", tell=house.tell)
    with pytest.raises(InputError, match="live in summarise already"):
        await proposed(house, "extract")
    with pytest.raises(InputError, match="does not lie in"):
        await proposed(house, "../elsewhere")

    assert [swap.state for swap in await house.swapper.history()] == ["failed"] * 4
    assert house.probed == []


@pytest.mark.parametrize("word", ["~/elsewhere", "~", ".", "../elsewhere"])
async def test_a_folder_outside_the_model_home_is_not_read(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "elsewhere").mkdir()
    for folder in (tmp_path, tmp_path / "elsewhere", tmp_path / "home" / "models"):
        folder.mkdir(exist_ok=True)
        (folder / "config.json").write_text('{"model_type": "bart"}')

    with pytest.raises(InputError, match="does not lie in"):
        await proposed(house, word)


@pytest.mark.parametrize("word", ["a" * 300, "~nobody-of-that-name", "~nobody-of-that-name/x", "/\0"])
async def test_a_word_that_can_be_no_folder_is_told(house: House, word: str) -> None:
    with pytest.raises(ModelError, match="There is no model"):
        await proposed(house, word)


async def test_files_that_are_refused_are_an_answer_with_the_reason(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(*_given: object, **_options: object) -> None:
        raise UnsafeModelError("a pickle")

    monkeypatch.setattr(fetch, "resolve", refuses)
    swap = await proposed(house)

    assert (swap.state, swap.step, swap.said["en"]) == ("refused", "verify", "a pickle")


async def test_a_file_that_is_refused_while_it_is_fetched_asks_for_no_second_yes(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuses(*_given: object, **_options: object) -> None:
        raise UnsafeModelError("a pickle")

    monkeypatch.setattr(Trying, "is_to_fetch", lambda _self, _spec: True)
    monkeypatch.setattr(Trying, "fetch", refuses)
    swap = await proposed(house)

    assert (swap.state, swap.step, swap.wants_yes) == ("refused", "verify", False)


async def test_what_did_not_pass_is_promoted_with_a_reason_alone(house: House) -> None:
    house.figures[LEAD] = figures_of(LEAD, score=0.1)
    swap = await proposed(house, "lead")
    assert swap.said["en"] == "The card is there and does not pass: discard it, or make the model live for a reason."
    with pytest.raises(InputError, match="did not pass"):
        await house.swapper.promote(swap.id, by="a", tell=house.tell)
    with pytest.raises(InputError, match="did not pass"):
        await house.swapper.promote(swap.id, by="a", tell=house.tell, reason="  ")

    forced = await house.swapper.promote(swap.id, by="a", tell=house.tell, reason="news only")

    assert (forced.state, forced.reason, house.pool.live(SUMMARISE)) == ("watched", "news only", LEAD)


async def test_what_cannot_be_used_is_promoted_for_no_reason(house: House) -> None:
    house.figures[LEAD] = figures_of(LEAD, fault={"en": "it hangs", "ko": "멈춰요"})
    swap = await proposed(house, "lead")
    assert swap.said["en"] == "The card is there: the model cannot be used, and can only be discarded."

    with pytest.raises(InputError, match="cannot be used"):
        await house.swapper.promote(swap.id, by="a", tell=house.tell, reason="please")
    assert house.pool.live(SUMMARISE) == EXTRACT


async def test_a_card_is_promoted_or_discarded_once(house: House) -> None:
    swap = await proposed(house)
    assert (await house.swapper.discard(swap.id, by="a")).state == "discarded"

    for again in (house.swapper.discard(swap.id, by="a"), house.swapper.promote(swap.id, by="a", tell=house.tell)):
        with pytest.raises(InputError, match="does not wait for that: it is “discarded”"):
            await again


async def test_a_card_that_compares_with_what_is_live_no_more_is_not_promoted(house: House) -> None:
    old = await proposed(house, "lexrank")
    await house.live_now("lead")

    with pytest.raises(InputError, match=r"holds summarise\.lead\.v1 by now"):
        await house.swapper.promote(old.id, by="a", tell=house.tell)


async def test_two_presses_of_promote_are_one_swap(house: House) -> None:
    swap = await proposed(house)

    both = await asyncio.gather(
        *(house.swapper.promote(swap.id, by="a", tell=house.tell) for _press in range(2)), return_exceptions=True
    )

    assert sorted(type(one).__name__ for one in both) == ["InputError", "Swap"]


async def test_the_second_swap_of_a_slot_at_once_is_told_so(house: House) -> None:
    reached, goes_on = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        reached.set()
        await goes_on.wait()

    house.probing = hold
    first = asyncio.create_task(proposed(house, "lexrank"))
    await reached.wait()
    with pytest.raises(InputError, match=r"Another swap of summarise is being worked on .number 1: lexrank, at “probe”"):
        await proposed(house, "lead")
    goes_on.set()

    assert (await first).state == "reported"


async def test_the_way_back_from_one_swap_is_gone_once_by_whoever_presses(house: House) -> None:
    await house.live_now("lexrank")
    second = await house.live_now("lead")
    await house.swapper.roll_back("summarise", by="a", tell=house.tell, number=second.id)
    with pytest.raises(InputError, match="not what summarise answers with any more"):
        await house.swapper.roll_back("summarise", by="a", tell=house.tell, number=second.id)
    assert house.pool.live(SUMMARISE) == LEXRANK


async def test_back_in_one_word_without_a_trial_and_back_again(house: House) -> None:
    await house.live_now("lead")
    tried = len(house.probed)

    back = await house.swapper.roll_back("summarise", by="test:ann", tell=house.tell)

    assert (back.state, back.word, back.model, back.before) == ("live", "rollback", EXTRACT, LEAD)
    assert house.pool.live(SUMMARISE) == EXTRACT
    assert await house.assignments.all() == {"summarise": EXTRACT}
    assert len(house.probed) == tried
    assert [swap.state for swap in await house.swapper.history("summarise")] == ["live", "rolled back"]
    assert (await house.swapper.roll_back("summarise", by="a", tell=house.tell)).model == LEAD


async def test_a_way_back_whose_message_is_taken_up_again_is_not_gone_forth_again(tmp_path: Path) -> None:
    home = tmp_path / "home"
    async with a_house(home, owner="first") as house:
        await house.live_now("lead")
        reached = asyncio.Event()

        async def hold(at: Step) -> None:
            if at == "watch":
                reached.set()
                await asyncio.Event().wait()

        house.swapper.reached = hold
        asked = asyncio.create_task(house.swapper.roll_back("summarise", by="a", origin="here", tell=house.tell))
        await reached.wait()
        house.swapper.leave()
        asked.cancel()
        await asyncio.wait([asked])
    async with a_house(home, owner="second") as house:
        again = await house.swapper.roll_back("summarise", by="a", origin="here", tell=house.tell)
        assert (again.id, again.state, again.model) == (2, "live", EXTRACT)
        assert house.pool.live(SUMMARISE) == EXTRACT
        assert (await house.swapper.roll_back("summarise", by="a", origin="here", tell=house.tell)).model == LEAD


async def test_where_nothing_was_swapped_there_is_no_way_back(house: House) -> None:
    with pytest.raises(InputError, match="no way back"):
        await house.swapper.roll_back("summarise", by="a", tell=house.tell)


async def test_what_cannot_be_loaded_leaves_the_one_before(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    swap = await proposed(house, "lead")

    def broken(_family: str) -> None:
        raise ModelError("it is broken")

    monkeypatch.setattr(house.pool._catalogue.families, "loader", broken)
    with pytest.raises(ModelError, match="it is broken"):
        await house.swapper.promote(swap.id, by="a", tell=house.tell)

    assert (await house.swapper.one(swap.id)).state == "failed"
    assert house.pool.live(SUMMARISE) == EXTRACT
    assert await house.assignments.all() == {}


async def test_stopped_by_the_one_who_asked_it_is_discarded_and_the_slot_is_free(house: House) -> None:
    reached = asyncio.Event()

    async def hold() -> None:
        reached.set()
        await asyncio.Event().wait()

    house.probing = hold
    asked = asyncio.create_task(proposed(house))
    await reached.wait()
    asked.cancel()
    await asyncio.wait([asked])

    assert [swap.state for swap in await house.swapper.history()] == ["discarded"]
    house.probing = None
    assert (await proposed(house)).state == "reported"


STEPS: tuple[Step, ...] = ("resolve", "verify", "probe", "report", "promote", "publish")


@pytest.mark.parametrize("step", STEPS)
async def test_a_process_that_ends_at_any_step_leaves_the_old_model_and_says_so(tmp_path: Path, step: Step) -> None:
    home = tmp_path / "home"
    async with a_house(home, owner="first") as house:
        reached = asyncio.Event()

        async def hold(at: Step) -> None:
            if at == step:
                reached.set()
                await asyncio.Event().wait()

        house.swapper.reached = hold
        asked = asyncio.create_task(house.live_now("lead"))
        await reached.wait()
        house.swapper.leave()
        asked.cancel()
        await asyncio.wait([asked])

    async with a_house(home, owner="second") as house:
        assert house.pool.live(SUMMARISE) == EXTRACT
        (swap,) = await house.swapper.history()
        assert (swap.state, swap.step) == ("interrupted", "publish" if step == "publish" else step)
        await house.watching.look()
        assert house.notified == []
        await house.watching.look()
        await house.watching.look()
        assert [text.to("en").partition(":")[0] for _swap, text in house.notified] == ["**Swap summarise → lead** (number 1)"]
        assert "중단됐어요" in house.notified[0][1].to("ko")


async def test_asked_again_by_the_message_that_is_taken_up_again_it_is_told_there(tmp_path: Path) -> None:
    home = tmp_path / "home"
    async with a_house(home, owner="first") as house:
        await house.swaps.begin("summarise", "lead", by="test:ann", origin="here")
    async with a_house(home, owner="second") as house:
        await house.watching.look()
        swap = await proposed(house, "lead")
        assert swap.state == "interrupted"
        await house.watching.look()
        assert house.notified == []
        assert (await proposed(house, "lead")).state == "reported"


async def test_what_is_assigned_is_live_at_the_next_start_and_the_settings_count_where_they_changed_since(tmp_path: Path) -> None:
    home = tmp_path / "home"
    async with a_house(home, choose={"summarise": LEXRANK}) as house:
        assert house.pool.live(SUMMARISE) == LEXRANK
        await house.live_now("lead")
    async with a_house(home, choose={"summarise": LEXRANK}) as house:
        assert house.pool.live(SUMMARISE) == LEAD
    async with a_house(home) as house:
        assert house.pool.live(SUMMARISE) == LEAD
    async with a_house(home, choose={"summarise": EXTRACT}) as house:
        assert house.pool.live(SUMMARISE) == EXTRACT
        await house.watching._publishing.settle()
        assert (await house.assignments.all())["summarise"] == EXTRACT


async def test_a_choice_that_was_taken_out_of_the_settings_and_written_there_again_counts_again(tmp_path: Path) -> None:
    home = tmp_path / "home"
    async with a_house(home, choose={"summarise": LEXRANK}) as house:
        await house.watching._publishing.settle()
    async with a_house(home) as house:
        await house.watching._publishing.settle()
        assert house.pool.live(SUMMARISE) == LEXRANK
        await house.live_now("lead")
    async with a_house(home, choose={"summarise": LEXRANK}) as house:
        assert house.pool.live(SUMMARISE) == LEXRANK


async def test_a_running_bot_follows_what_a_terminal_made_live(tmp_path: Path, house: House) -> None:
    async with a_house(tmp_path / "home", owner="terminal") as terminal:
        await house.watching.look()
        house.others = ["terminal"]
        await terminal.live_now("lead")
        await house.watching.look()
        assert house.pool.live(SUMMARISE) == LEAD
        await terminal.swapper.roll_back("summarise", by="terminal", tell=terminal.tell)
        await house.watching.look()
        assert house.pool.live(SUMMARISE) == EXTRACT


async def test_a_look_in_the_midst_of_the_writing_does_not_load_the_model_a_second_time(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = house.swaps.record

    async def looked_at(*args: Any, **options: Any) -> Swap | None:
        done = await record(*args, **options)  # committed, and not yet answered
        await house.watching.look()
        return done

    monkeypatch.setattr(house.swaps, "record", looked_at)
    house.probation.heard(Heard("summarise", EXTRACT, ["x"], ["y"], 2.0, bulk=False))
    await asyncio.wait_for(house.live_now("lead"), 20)
    house.probation.heard(Heard("summarise", LEAD, ["x"], ["y"], 2.0, bulk=False))

    assert house.pool.live(SUMMARISE) == LEAD
    assert house.probation._live["summarise"].answered == 1


async def test_the_settings_word_is_kept_with_the_model_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"

    async def cut(*_args: object, **_options: object) -> None:
        raise asyncio.CancelledError

    async with a_house(home, choose={"summarise": EXTRACT}) as house:
        swap = await proposed(house, "lead")
        monkeypatch.setattr(house.assignments, "put", cut)  # nothing is written after the one transaction
        await house.swapper.promote(swap.id, by="a", tell=house.tell)
    async with a_house(home, choose={"summarise": EXTRACT}) as house:
        assert house.pool.live(SUMMARISE) == LEAD


async def test_what_the_running_bot_cannot_load_is_taken_back(
    tmp_path: Path, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_house(tmp_path / "home", owner="terminal") as terminal:
        await terminal.live_now("lead")

    def broken(_family: str) -> None:
        raise ModelError("no library here")

    monkeypatch.setattr(house.pool._catalogue.families, "loader", broken)
    await house.watching.look()

    assert await house.assignments.all() == {"summarise": EXTRACT}
    assert (await house.swapper.one(1)).state == "rolled back"
    assert "the running bot cannot load it. no library here" in house.notified[0][1].to("en")
