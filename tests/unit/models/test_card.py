"""The verdict: what is better passes, what is much worse does not, and each reason is a sentence with its figures."""

import random
from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.locale import LANGUAGES, Language, Text
from bot.models.card import card_of, differences, qualities
from bot.models.trial import Card, Evicted, Figures, Room, Scored, pack_card, unpack_card

ROOM = Room(300, 500, 2000, (), beside=True, fits=True)

cases = st.dictionaries(st.sampled_from([f"c{number}" for number in range(30)]), st.floats(0, 1), min_size=1, max_size=30)
both = st.fixed_dictionaries({"ko": cases, "en": cases})


def figures(scores: Mapping[Language, Mapping[str, float]], **changes: object) -> Figures:
    scored = tuple(
        Scored(case, language, score, f"asked {case}", f"answered {score:.3f}")
        for language, by_case in scores.items()
        for case, score in by_case.items()
    )
    made = Figures("summarise.new.v1@1", "ROUGE-1", scored, load_s=2.0, p50_ms=10.0, p95_ms=20.0, ram_mb=300,
                   disk_bytes=1_000_000, licence="MIT", languages=tuple(scores), fault={})  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


def scored(*scores: float, language: Language = "en") -> dict[Language, dict[str, float]]:
    return {language: {f"c{number}": score for number, score in enumerate(scores)}}


def reasons(card: Card) -> list[str]:
    return [reason["en"] for reason in card.reasons]


def notes(card: Card) -> list[str]:
    return [note["en"] for note in card.notes]


def verdict(old: Figures | None, new: Figures, *, tolerance: float = 0.05, **others: object) -> Card:
    return card_of("summarise", old, new, ROOM, tolerance=tolerance, **others)  # type: ignore[arg-type]


@settings(max_examples=40)
@given(both, st.floats(0, 1))
def test_a_better_model_is_never_refused_for_quality(scores: dict[Language, dict[str, float]], lift: float) -> None:
    better = {language: {case: score + (1 - score) * lift for case, score in one.items()} for language, one in scores.items()}

    assert verdict(figures(scores), figures(better)).reasons == ()


@settings(max_examples=40)
@given(both, st.sampled_from(LANGUAGES), st.floats(0.06, 0.5))
def test_a_much_worse_one_always_is(scores: dict[Language, dict[str, float]], worse: Language, fall: float) -> None:
    high = {language: {case: 0.5 + score / 2 for case, score in one.items()} for language, one in scores.items()}
    low = {**high, worse: {case: score - fall for case, score in high[worse].items()}}

    assert len(verdict(figures(high), figures(low)).reasons) == 1


@settings(max_examples=40)
@given(both, both, st.randoms(use_true_random=False))
def test_the_order_of_the_cases_does_not_matter(
    before: dict[Language, dict[str, float]], after: dict[Language, dict[str, float]], chance: random.Random
) -> None:
    def shuffled(one: Figures) -> Figures:
        return replace(one, scored=tuple(chance.sample(one.scored, len(one.scored))))

    old, new = figures(before), figures(after)
    card, other = verdict(old, new), verdict(shuffled(old), shuffled(new))

    assert (card.reasons, card.notes) == (other.reasons, other.notes)
    assert qualities(card) == qualities(other)
    assert differences(card) == differences(other)


def test_a_fall_that_is_certain_is_told_with_its_interval() -> None:
    card = verdict(figures(scored(*[0.8, 0.9] * 20)), figures(scored(*[0.6, 0.7] * 20)))

    assert not card.passed
    assert reasons(card) == ["English is worse: ROUGE-1 −0.200 over 40 cases (95 %: −0.200 to −0.200); −0.050 is tolerated."]
    assert "영어" in card.reasons[0]["ko"]


def test_a_fall_over_few_cases_is_refused_too_and_may_be_chance() -> None:
    card = verdict(figures(scored(1, 1, 1, 0, 1)), figures(scored(1, 0, 1, 1, 0)))

    (reason,) = reasons(card)
    assert reason.startswith("English may be worse: ROUGE-1 −0.200 over only 5 cases")
    assert "chance" in reason


def test_a_certain_fall_within_the_tolerance_passes_and_is_noted() -> None:
    card = verdict(figures(scored(*[0.8, 0.9] * 20)), figures(scored(*[0.77, 0.87] * 20)))

    assert card.passed
    assert notes(card) == ["English is a little worse: ROUGE-1 −0.030, within the tolerated −0.050."]


def test_a_fall_by_just_the_tolerance_passes() -> None:
    assert verdict(figures(scored(0.3, 0.3)), figures(scored(0.1, 0.1)), tolerance=0.2).passed


def test_one_language_does_not_pay_for_the_other() -> None:
    old = figures({**scored(0.5, 0.5, language="ko"), **scored(0.5, 0.5)})
    new = figures({**scored(0.1, 0.1, language="ko"), **scored(1.0, 1.0)})

    assert [reason.partition(":")[0] for reason in reasons(verdict(old, new))] == ["Korean is worse"]


def test_a_language_that_only_the_live_model_answers_is_lost() -> None:
    old = figures({**scored(0.5, 0.7, language="ko"), **scored(0.5, 0.5)})

    assert reasons(verdict(old, figures(scored(0.9, 0.9)))) == [
        "Korean is lost: the live model answers it (ROUGE-1 0.600), this one does not."
    ]


def test_a_language_that_was_never_answered_well_is_no_loss() -> None:
    old = figures({**scored(0.01, 0.0, language="ko"), **scored(0.5, 0.5)})

    assert verdict(old, figures(scored(0.5, 0.5))).passed


def test_a_new_language_is_told() -> None:
    card = verdict(figures(scored(0.5, 0.5)), figures({**scored(0.5, 0.5), **scored(0.4, 0.4, language="ko")}))

    assert card.passed
    assert notes(card) == ["It answers Korean, which the live model does not."]


def test_where_nothing_was_live_quality_is_no_reason() -> None:
    card = verdict(None, figures(scored(0.1, 0.2)))

    assert (card.passed, card.notes, differences(card)) == (True, (), ())
    (quality,) = qualities(card)
    assert (quality.old, quality.change) == (None, None)
    assert quality.new is not None
    assert quality.new.mean == pytest.approx(0.15)


def test_cases_that_only_one_answered_are_told_and_left_out() -> None:
    card = verdict(figures(scored(0.5, 0.5, 0.5)), figures(scored(0.5, 0.5)))

    assert notes(card) == ["English: 2 of 3 cases were answered by both models, and are compared."]


def test_models_that_share_no_case_are_compared_by_their_means() -> None:
    new = figures({"en": {f"other{number}": 0.2 for number in range(9)}})

    assert reasons(verdict(figures(scored(*[0.8] * 9)), new))[0].startswith("English is worse: ROUGE-1 −0.600")


def test_what_crashed_is_refused_with_its_sentence_alone() -> None:
    fault = {"en": "It ended in the midst of its first answer.", "ko": "첫 답을 하다가 끝났어요."}

    card = verdict(figures(scored(0.5, 0.5)), figures({}, fault=fault))

    assert (card.reasons, card.notes) == ((fault,), ())


def test_a_live_model_that_could_not_be_measured_is_not_compared() -> None:
    fault = {"en": "It hung.", "ko": "멈췄어요."}

    card = verdict(figures(scored(0.9, 0.9), fault=fault, p95_ms=1.0), figures(scored(0.1, 0.1), p95_ms=9000.0))

    assert card.passed
    assert notes(card) == ["The live model could not be measured, so nothing is compared: It hung."]
    assert card.notes[0]["ko"].endswith("멈췄어요.")


def test_two_measures_are_not_compared() -> None:
    assert "cannot be compared" in reasons(verdict(figures(scored(0.9)), figures(scored(0.9), metric="ROUGE-2")))[0]


@pytest.mark.parametrize("score", [float("nan"), float("inf"), -1.0])
def test_a_score_that_is_none_counts_as_a_miss(score: float) -> None:
    assert not verdict(figures(scored(0.5, 0.5)), figures(scored(0.5, score))).passed


@pytest.mark.parametrize(
    ("slot", "before", "now", "reason", "note"),
    [
        ("summarise", 20.0, 45.0, "", ""),  # nobody feels that
        ("summarise", 40.0, 90.0, "", "It is slower: one answer in twenty takes over 90 ms; the live model's takes 40 ms."),
        ("summarise", 40.0, 3800.0, "", "It is slower: one answer in twenty takes over 3.8 s; the live model's takes 40 ms."),
        ("summarise", 40.0, 25000.0, "It is too slow: one answer in twenty takes over 25.0 s; the live model's takes 40 ms.", ""),
        ("summarise", 9000.0, 25000.0, "", "It is slower: one answer in twenty takes over 25.0 s; the live model's takes 9.0 s."),
        ("embed", 4.0, 510.0, "It is too slow: one answer in twenty takes over 510 ms; the live model's takes 4.0 ms.", ""),
    ],
)  # fmt: skip
def test_being_slow_is_noted_and_beyond_patience_refused(slot: str, before: float, now: float, reason: str, note: str) -> None:
    one = figures(scored(0.5, 0.5))

    card = card_of(slot, replace(one, p95_ms=before), replace(one, p95_ms=now), ROOM, tolerance=0.05)

    assert (reasons(card), notes(card)) == ([reason] if reason else [], [note] if note else [])


def test_what_does_not_fit_is_refused_with_numbers() -> None:
    room = Room(3000, 500, 2000, (), beside=False, fits=False)

    card = card_of("summarise", None, figures(scored(0.5, 0.5)), room)

    assert reasons(card)[0].startswith("It needs 2.9 GB of memory. 500 MB of the 2.0 GB budgeted are taken")
    assert "2.9 GB" in card.reasons[0]["ko"]


def test_what_is_unloaded_first_is_told_with_the_wait() -> None:
    room = Room(900, 1200, 2000, (Evicted("caption", "a@1", 3.8),), beside=False, fits=True)

    card = card_of("summarise", None, figures(scored(0.5, 0.5)), room)

    assert card.passed
    assert "waits about 2.0 s" in notes(card)[0]


def test_notes_of_others_stand_after_its_own() -> None:
    card = verdict(None, figures({}), notes=[Text("Hashes seen for the first time.")])

    assert notes(card) == ["Quality was not measured: there are no golden cases for it.", "Hashes seen for the first time."]


def test_the_examples_are_those_that_differ_most_and_not_those_that_are_alike() -> None:
    card = verdict(figures(scored(0.5, 0.5, 0.5, 0.5, 0.9)), figures(scored(0.5, 0.9, 0.4, 0.0, 0.9)))

    assert [pair.new.case for pair in differences(card)] == ["c3", "c1", "c2"]
    assert [pair.new.case for pair in differences(card, 1)] == ["c3"]


def test_a_card_outlives_the_database() -> None:
    card = verdict(figures(scored(0.5, 0.5)), figures(scored(0.1, 0.1)))

    assert unpack_card(pack_card(card)) == card


@pytest.mark.parametrize(
    ("p95_ms", "said"), [(60.0, []), (25_000.0, ["It is slow here: one answer in twenty takes over 25.0 s."])]
)
def test_beside_a_model_that_was_asked_nothing_none_is_slower(p95_ms: float, said: list[str]) -> None:
    old = figures({}, languages=("ja",), p50_ms=0.0, p95_ms=0.0)
    card = verdict(old, figures(scored(0.5, 0.6), p95_ms=p95_ms))

    assert card.reasons == ()
    assert [note for note in notes(card) if "slow" in note] == said
