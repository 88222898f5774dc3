"""What a child on trial says: how far it is, and what is believed of it."""

import json

import pytest

from bot.models.probe_said import Stage, StoppedError, found_of, plain, sentence

FOUND = {"metric": "m", "scored": [], "load_s": 1.0, "p50_ms": 1.0, "p95_ms": 2.0, "ram_mb": 3, "fault": {}}
SCORED = {"case": "a", "language": "ko", "score": 0.5, "asked": "x", "answered": "y"}


def test_each_tenth_of_the_cases_is_told_and_loading_first() -> None:
    stage = Stage("m", 100)
    messages = [{"stage": "load"}, {"stage": "loaded", "load_s": 0.5}, {"stage": "case", "case": 1, "of": 0}]
    messages += [{"stage": "case", "case": case, "of": 100} for case in range(1, 101)]
    told = [str(text) for message in messages if (text := stage.take(message)) is not None]
    assert told[0] == "Loading m to try it."
    assert told[1] == "Trying m: 1 of 100 cases."
    assert told[-1] == "Trying m: 100 of 100 cases."
    assert len(told) == 12
    assert stage.load_s == 0.5


@pytest.mark.parametrize(
    ("messages", "during"),
    [
        ([], "while it was loaded"),
        ([{"stage": "load"}], "while it was loaded"),
        ([{"stage": "loaded"}, {"stage": "case", "case": 2, "of": 0}], "right after it was loaded"),
        ([{"stage": "case", "case": 2, "of": 7}], "after 2 of 7 cases"),
        ([{"stage": "case", "case": "2", "of": -7}], "right after it was loaded"),
    ],
)
def test_when_it_was_is_told(messages: list[dict[str, object]], during: str) -> None:
    stage = Stage("m", 100)
    for message in messages:
        stage.take(message)  # type: ignore[arg-type]
    assert during in stage.crashed("SIGSEGV").why["en"]


def test_memory_that_ran_out_is_told_with_the_limit() -> None:
    with pytest.raises(StoppedError, match="ran out of the 100 MiB"):
        Stage("m", 100).take({"failed": "MemoryError", "where": "a.py:3"})


def test_figures_in_their_range_are_taken_and_their_text_is_plain() -> None:
    found = found_of({**FOUND, "scored": [{**SCORED, "answered": "\x1b[31m\u202ered\n" + "x" * 1000}]})
    assert found.scored[0].answered.isprintable()
    assert len(found.scored[0].answered) <= 400
    assert found_of({**FOUND, "fault": {"ko": "아니요", "en": "no"}}).fault == {"ko": "아니요", "en": "no"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"load_s": -1.0},
        {"p95_ms": float("nan")},
        {"ram_mb": "many"},
        {"metric": 3},
        {"scored": [{**SCORED, "score": 1.5}]},
        {"scored": [{**SCORED, "language": "fr"}]},
        {"scored": [SCORED] * 5001},
        {"fault": {"en": "only English"}},
        {"fault": "text"},
    ],
)
def test_other_figures_are_not_believed(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"range|validation error|every language"):
        found_of({**FOUND, **wrong})  # type: ignore[dict-item]


def test_a_sentence_is_in_both_languages_and_of_a_sentences_length() -> None:
    assert sentence({"ko": "가" * 5000, "en": "a{b}\n"}) == {"ko": "가" * 1000, "en": "a{b}"}
    with pytest.raises(ValueError, match="every language"):
        sentence({"ko": "가"})


def test_lone_surrogates_and_controls_are_left_out() -> None:
    assert plain(json.loads('"a\\ud800b\\u0000c"')) == "a b c"
