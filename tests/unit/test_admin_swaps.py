"""The verbs that change a model: cards and their buttons, a reason, a second yes, the way back, what was meant."""

from pathlib import Path

import pytest
from fakes.admin import NAMED, AdminHouse, Sum, said_by

from bot.admin_words import Order
from bot.errors import InputError, ModelError
from bot.message import Address, Command, Reply, pack
from bot.roles import TERMINAL
from bot.store.database import Database
from bot.testing import make_request

LEXRANK, LEAD = "summarise.lexrank.v1", "summarise.lead.v1"


@pytest.fixture
def house(database: Database, tmp_path: Path) -> AdminHouse:
    return AdminHouse(database, tmp_path, skills=(Sum(),))


def orders(reply: Reply) -> dict[str, str]:
    """Return what each button orders, by its label."""
    return {button.label: f"/{button.command.name} {button.command.args}" for button in reply.buttons}


async def press(house: AdminHouse, reply: Reply, label: str) -> Reply:
    return await house.say(orders(reply)[label], language="en")


@pytest.mark.parametrize("typed", ["/swap summarise summarise.lexrank.v1", "/교체 요약 lexrank", "/swap summarise LexRank"])
async def test_the_answer_to_a_swap_is_its_card_with_a_picture_and_three_buttons(house: AdminHouse, typed: str) -> None:
    shown = await house.say(typed, language="en")
    slot, word, by = house.swapping.asked[0]
    assert (slot, word.lower() in LEXRANK, by) == ("summarise", True, NAMED)
    assert "Swap 1." in shown.text
    assert "in en" in shown.text
    assert house.blobs.data[shown.images[0].blob].endswith(b"in en")
    assert orders(shown) == {"Promote": "/promote 1", "Shadow 50": "/shadow 1 50", "Discard": "/discard 1"}
    assert [str(one) for one in house.told] == ["looking for it", "probing"]


async def test_the_card_is_shown_in_the_askers_language(house: AdminHouse) -> None:
    shown = await house.say("/교체 요약 lexrank")
    assert "in ko" in shown.text
    assert [button.label for button in shown.buttons] == ["사용", "그림자 50건", "버리기"]


async def test_where_it_was_asked_is_kept_so_that_what_comes_later_is_told_there(house: AdminHouse) -> None:
    await house.say("/swap summarise lexrank", kind="group")
    assert house.swapping.swaps[0].origin == pack(Address("telegram", "bot", "-9", kind="group"))


async def test_promoting_makes_it_live_and_offers_the_way_back_once(house: AdminHouse) -> None:
    live = await press(house, await house.say("/swap summarise lexrank"), "Promote")
    assert "**summarise** answers with" in live.text
    assert "Watched" in live.text
    back = await press(house, live, "Back to old")
    assert "back at summarise.old.v1" in back.text
    with pytest.raises(InputError, match="not what summarise answers with"):
        await press(house, live, "Back to old")
    assert [swap.state for swap in house.swapping.swaps] == ["rolled back", "live"]


async def test_a_card_that_does_not_pass_has_no_promote_and_a_press_of_one_is_refused(house: AdminHouse) -> None:
    house.swapping.fails_gate.add("lead")
    shown = await house.say("/swap summarise lead")
    assert orders(shown) == {"Shadow 50": "/shadow 1 50", "Discard": "/discard 1"}
    assert '/swap summarise lead --force "…"' in shown.text
    with pytest.raises(InputError):
        await house.say("/promote 1")
    assert (await house.outcomes())[-1] == (NAMED, "/promote 1", "refused")


async def test_a_reason_makes_it_live_from_the_card_that_waits(house: AdminHouse) -> None:
    house.swapping.fails_gate.add("lead")
    await house.say("/swap summarise lead")
    shown = await house.say("/swap summarise lead —force “비교해 보려고요”", language="en")
    assert "answers with" in shown.text
    assert (house.swapping.swaps[0].state, house.swapping.swaps[0].reason) == ("watched", "비교해 보려고요")
    assert len(house.swapping.asked) == 1, "it was not tried again"
    assert (await house.outcomes())[-1] == (NAMED, "/swap summarise lead —force “비교해 보려고요”", "done")


async def test_a_reason_for_what_was_not_tried_yet_tries_it_first(house: AdminHouse) -> None:
    house.swapping.fails_gate.add("lead")
    assert "answers with" in (await house.say('/swap summarise lead --force "to compare"')).text
    assert house.swapping.swaps[0].reason == "to compare"


async def test_no_reason_is_asked_for_one(house: AdminHouse) -> None:
    with pytest.raises(InputError, match="Write why"):
        await house.say("/swap summarise lead --force")
    assert house.swapping.asked == []


@pytest.mark.parametrize("typed", ["/swap summarise bad", '/swap summarise bad --force "x"'])
async def test_what_is_not_safe_has_no_button_at_all_and_no_reason_helps(house: AdminHouse, typed: str) -> None:
    (house.settings.model_home / "bad").mkdir(parents=True)
    house.swapping.unsafe.add("bad")
    shown = await house.say(typed)
    assert (shown.text, shown.buttons) == ("It has a pickle.", ())
    assert (await house.outcomes())[-1][2] == "refused"


async def test_what_broke_when_it_was_tried_can_only_be_discarded_whatever_the_reason(house: AdminHouse) -> None:
    (house.settings.model_home / "bad").mkdir(parents=True)
    house.swapping.breaks.add("bad")
    assert orders(await house.say("/swap summarise bad")) == {"Discard": "/discard 1"}
    with pytest.raises(InputError):
        await house.say('/swap summarise bad --force "x"')


async def test_hashes_and_licences_that_nobody_knows_want_a_second_yes(house: AdminHouse) -> None:
    house.swapping.wants_yes.add("hub:a/b")
    asked = await house.say("/swap summarise hub:a/b")
    assert "Nobody knows the licence" in asked.text
    assert orders(asked) == {"Yes, fetch it": "/swap summarise hub:a/b@r1 --yes"}, "for the commit that was seen"
    assert "Promote" in orders(await press(house, asked, "Yes, fetch it"))


async def test_what_was_interrupted_is_told_and_tried_again_by_a_button(house: AdminHouse) -> None:
    house.swapping.interrupted.add("lexrank")
    shown = await house.say("/swap summarise lexrank")
    assert "interrupted" in shown.text
    assert orders(shown) == {"Try again": "/swap summarise lexrank"}


async def test_an_error_on_the_way_is_raised_and_written_down(house: AdminHouse) -> None:
    (house.settings.model_home / "offline").mkdir(parents=True)
    with pytest.raises(ModelError):
        await house.say("/swap summarise offline")
    assert (await house.outcomes())[-1][2] == "failed"


async def test_shadow_by_name_and_by_the_cards_button(house: AdminHouse) -> None:
    shown = await house.say("/shadow summarise lexrank 20")
    assert "In the shadow of 20" in shown.text
    assert orders(shown) == {"Discard": "/discard 1"}
    assert "In the shadow of 50" in (await press(house, await house.say("/swap summarise lead"), "Shadow 50")).text
    assert "Discarded" in (await house.say("/discard 2")).text


async def test_a_card_in_the_shadow_offers_to_end_that_and_nothing_else(house: AdminHouse) -> None:
    await house.say("/shadow summarise lexrank")
    assert orders(await house.say("/card 1")) == {"Discard": "/discard 1"}


@pytest.mark.parametrize("typed", ["/shadow 99999999999999999999", f"/shadow {'9' * 5000} 50"])
async def test_a_number_that_no_swap_has_is_told(house: AdminHouse, typed: str) -> None:
    with pytest.raises(InputError, match="number of a swap"):
        await house.say(typed)


async def test_in_the_command_line_no_picture_is_drawn(house: AdminHouse) -> None:
    request = make_request(said_by("console:me", "/swap summarise lexrank"))
    done = await house.admin.order("swap", Order(request, TERMINAL, ("summarise", "lexrank")))
    assert (done.reply.images, house.blobs.data) == ((), {})


async def test_shadow_takes_the_card_that_waits(house: AdminHouse) -> None:
    await house.say("/swap summarise lexrank")
    await house.say("/그림자 요약 lexrank")
    assert len(house.swapping.asked) == 1
    assert house.swapping.swaps[0].state == "shadowing"


async def test_the_card_is_shown_again_the_last_or_by_number(house: AdminHouse) -> None:
    with pytest.raises(InputError, match="No model was tried"):
        await house.say("/card")
    await house.say("/swap summarise lexrank")
    await house.say("/swap summarise lead")
    assert "Swap 2." in (await house.say("/card")).text
    assert "Swap 1." in (await house.say("/성적표 1", language="en")).text
    with pytest.raises(InputError, match="no swap 9"):
        await house.say("/card 9")
    with pytest.raises(InputError, match="number of a swap"):
        await house.say("/card lexrank")


async def test_bench_measures_the_live_model(house: AdminHouse) -> None:
    assert "card of summarise.live.v1@r0" in (await house.say("/bench summarise")).text
    assert orders(await house.say("/bench"))["ocr"] == "/bench ocr"


async def test_rollback_alone_offers_what_was_swapped(house: AdminHouse) -> None:
    nothing = await house.say("/rollback")
    assert ("nothing to go back to" in nothing.text, nothing.buttons) == (True, ())
    await house.say("/swap summarise lexrank")
    await house.say("/promote 1")
    assert orders(await house.say("/되돌리기", language="en")) == {"summarise": "/rollback summarise"}
    assert "back at" in (await house.say("/rollback summarise")).text


@pytest.mark.parametrize("command", ["swap", "shadow"])
async def test_a_swap_without_words_shows_the_slots_then_the_models(house: AdminHouse, command: str) -> None:
    slots = await house.say(f"/{command}")
    assert orders(slots)["summarise"] == f"/{command} summarise"
    models = await press(house, slots, "summarise")
    assert "hub:owner/name@revision" in models.text
    assert orders(models)["lexrank"] == f"/{command} summarise {LEXRANK}"


@pytest.mark.parametrize(
    ("typed", "said", "first"),
    [
        ("/swap sumarise lexrank", "Did you mean summarise", "/swap summarise lexrank"),
        ("/swap summarise lexrnk", f"Did you mean {LEXRANK}", f"/swap summarise {LEXRANK}"),
        ("/swap summarise zzz", "/models search summarise: zzz", "/models search summarise: zzz"),
        ("/swap lexrank", "Write the slot first", f"/swap summarise {LEXRANK}"),
        ("/swap zzzz lexrank", "There are: caption", "/swap caption"),
        ("/swap summarise bart", "Did you mean", "/swap summarise summarise.kobart.v3"),
    ],
)
async def test_what_is_mistyped_is_asked_back_with_buttons(house: AdminHouse, typed: str, said: str, first: str) -> None:
    shown = await house.say(typed)
    assert said in shown.text
    assert next(iter(orders(shown).values())) == first
    assert house.swapping.asked == []
    assert (await house.outcomes())[-1] == (NAMED, typed, "refused")


async def test_buttons_hold_what_they_order_and_no_more(house: AdminHouse) -> None:
    shown = await house.say("/swap summarise lexrank")
    assert shown.buttons[0].command == Command("promote", "1")
