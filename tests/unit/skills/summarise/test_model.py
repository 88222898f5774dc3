"""The three models: what they pick, how much of it, and that they invent nothing."""

import json
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.evaluate.summarise import read_cases, rouge
from bot.models.presets import read_presets
from bot.models.spec import LoadOptions, ModelSpec
from bot.models.tasks import Summary, SummaryInput
from skills.summarise import model as model_module
from skills.summarise.choose import costs_of, fill, tidy, words_for
from skills.summarise.evidence import SENTENCE_EVIDENCE, WORD_EVIDENCE, observe
from skills.summarise.lexrank import cosines, lexrank, word_rows
from skills.summarise.model import PART, load_extract, load_lead, load_lexrank
from skills.summarise.weights import SENTENCES, WORDS

FOLDER = Path(model_module.__file__).parent
LOADERS = [load_extract, load_lexrank, load_lead]
SPEC = ModelSpec("x", "summarise", "x", "builtin")
TALK = """Ann: Hi! How are you?
Ben: Fine, thanks.
Ann: The printer in room 4 is broken again. Can you order a new one?
Ben: I will order a laser printer tomorrow. It costs 300 euros.
Ann: Great, thank you!
Ben: Bye."""


def summary(text: str, load: object = load_extract, *, language: str = "en", length: str = "short", count: int = 0) -> Summary:
    picker = load(SPEC, Path(), LoadOptions())  # type: ignore[operator]
    return picker.predict([SummaryInput.of(text, language=language, length=length, count=count)])[0]  # type: ignore[no-any-return,arg-type]


@pytest.mark.parametrize("load", LOADERS)
def test_every_picked_sentence_is_the_texts_own_and_in_its_order(load: object) -> None:
    item = SummaryInput.of(TALK, language="en")
    made = summary(TALK, load)
    assert list(made.picked) == sorted(set(made.picked))
    for index in made.picked:
        assert tidy(item.sentences[index], alone=False) in made.text


@pytest.mark.parametrize("load", LOADERS)
def test_an_empty_batch_and_an_empty_text_are_answered(load: object) -> None:
    picker = load(SPEC, Path(), LoadOptions())  # type: ignore[operator]
    assert picker.predict([]) == []
    assert picker.predict([SummaryInput.of("", language="ko"), SummaryInput.of("한 문장.", language="ko")]) == [
        Summary(""),
        Summary("한 문장.", (0,)),
    ]
    picker.close()


@pytest.mark.parametrize("load", LOADERS)
@pytest.mark.parametrize("count", [1, 3])
def test_as_many_sentences_are_picked_as_are_asked_for(load: object, count: int) -> None:
    assert len(summary(TALK, load, count=count).picked) == count


def test_three_lengths_grow() -> None:
    text = " ".join(
        f"Team {number} built the {thing} of the house in week {number}." for number, thing in enumerate("abcdefghijklmnopqrst")
    )
    lengths = [len(summary(text, length=length).picked) for length in ("short", "medium", "long")]
    assert lengths == sorted(set(lengths))


def test_a_turn_names_its_speaker_and_small_talk_is_left_out() -> None:
    told = summary(TALK, length="short").text
    assert "printer" in told
    assert told.startswith(("Ann: ", "Ben: "))
    assert "Fine" not in told
    assert "Bye" not in told


def test_the_same_sentence_twice_is_told_once() -> None:
    made = summary(
        "The red dam broke at noon. The red dam broke at noon. Rescue boats left the harbour. People slept in the school.",
        count=3,
    )
    assert made.text.count("dam") == 1


def test_a_text_that_repeats_itself_is_told_once_however_long_it_is() -> None:
    lines = [f"Line {'one' if number % 2 else 'two'} lost forty crates." for number in range(400)]
    assert len(summary(" ".join(lines), length="long").picked) == 2
    assert len(summary(" ".join(lines), count=3).picked) == 2


def test_a_long_text_has_no_longer_summary_than_is_read_in_a_chat() -> None:
    assert words_for("short", 100_000) < words_for("medium", 100_000) < words_for("long", 100_000) == 600
    assert words_for("long", 300) > words_for("medium", 300) > words_for("short", 300)


def test_one_line_of_a_talk_is_what_was_settled() -> None:
    talk = "Jo: Hike on Saturday?\nSu: rain all day\nTae: Sunday I have a dinner\nJo: Ok, let's meet on the 14th at exit 3\nSu: Great!"
    assert "14th" in summary(talk, count=1).text


@pytest.mark.parametrize(
    ("sentence", "nods"),
    [
        ("네 그럼 가평으로 확정할게요", False),
        ("넵 알겠습니다", True),
        ("견적서 잘 받았습니다.", True),
        ("Ok, I will send it by noon", False),
        ("Great, thank you!", True),
        ("Yes, the pump in the second cellar was repaired last Monday", False),
    ],
)
def test_a_turn_that_agrees_and_settles_something_is_no_nod(sentence: str, *, nods: bool) -> None:
    item = SummaryInput.of(f"{sentence}\nThe dam broke at noon.", language="ko")
    assert bool(observe(item).sentences[0, SENTENCE_EVIDENCE.index("nod")]) is nods


@pytest.mark.parametrize(
    "text",
    [
        "서버 비용이 크게 늘었습니다. 이미지 변환이 요청마다 돌기 때문입니다. 디자이너 후보 두 명이 남았습니다.",
        "Two guards came. They found the red dam, the green bridge and the harbour open at noon. The mayor slept.",
    ],
)
@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_sentence_that_leans_on_the_one_before_is_told_with_it_only(text: str, count: int) -> None:
    picked = summary(text, language="ko", count=count).picked
    assert 1 not in picked or 0 in picked


def test_what_is_announced_and_not_told_is_announced_with_a_full_stop() -> None:
    assert tidy("The fix sets the path:", alone=True, followed=False) == "The fix sets the path."
    assert tidy("The fix sets the path:", alone=True, followed=True) == "The fix sets the path:"


def test_a_claim_is_taken_before_its_background() -> None:
    text = (
        "Many rivers have been measured for a long time. Measuring is slow and costs money. "
        "In this paper we propose a buoy that measures a river every minute. Other buoys exist in lakes."
    )
    assert 2 in summary(text, count=1).picked


def test_a_korean_claim_is_taken_before_its_background() -> None:
    text = "강을 재는 일은 오래되었다. 재는 데 시간과 돈이 든다. 본 연구에서는 강을 일 분마다 재는 부표를 제안한다. 호수에는 다른 부표가 있다."
    assert 2 in summary(text, language="ko", count=1).picked


def test_headings_and_code_are_no_part_of_a_summary() -> None:
    text = "# Plan\n\nWe build a dam. It holds water. It makes power.\n\n```\nrm -rf dam\n```\nThe dam opens in May."
    assert "rm" not in summary(text, length="long").text
    assert "Plan" not in summary(text, length="long").text


def test_vectors_change_what_is_seen_and_their_lack_is_no_error() -> None:
    item = SummaryInput.of(TALK, language="en")
    rng = np.random.default_rng(1)
    vectors = rng.normal(size=(len(item.sentences), 8)).astype(np.float32)
    seen = observe(SummaryInput(item.text, item.sentences, "en", "short", vectors, item.speakers))
    assert seen.words[:, WORD_EVIDENCE.index("near")].any()
    assert not observe(item).words[:, WORD_EVIDENCE.index("near")].any()


def test_there_is_one_weight_a_kind_of_evidence() -> None:
    assert {len(row) for row in WORDS.values()} == {len(WORD_EVIDENCE)}
    assert {len(row) for row in SENTENCES.values()} == {len(SENTENCE_EVIDENCE)}


def test_a_long_text_is_thinned_part_by_part_and_covered_to_its_end() -> None:
    rng = random.Random(3)
    words = ["".join(rng.choices("bcdfgklmnprst", k=3)) + "a" for _word in range(300)]
    sentences = [f"The {' '.join(rng.choices(words, k=8))} was built." for _sentence in range(3 * PART)]
    picked = summary(" ".join(sentences), length="long").picked
    assert min(picked) < PART
    assert max(picked) > 2 * PART


@pytest.mark.parametrize("load", LOADERS)
@settings(max_examples=40, deadline=None)
@given(text=st.text(alphabet=st.sampled_from("가나 다.\n?!:a b-1\x00\ud800"), max_size=300))
def test_any_text_is_shortened_without_an_error(load: object, text: str) -> None:
    made = summary(text, load, language="ko")
    assert len(made.picked) <= max(1, len(SummaryInput.of(text, language="ko").sentences))


def test_lexrank_follows_the_paper() -> None:
    """Two alike sentences and one apart, solved by hand: p = d/N + (1-d) Wp with d = 0.15."""
    similar = np.array([[1, 0.5, 0], [0.5, 1, 0], [0, 0, 1.0]])
    walk = similar / similar.sum(axis=1, keepdims=True)
    expected = np.linalg.solve(np.eye(3) - 0.85 * walk.T, np.full(3, 0.05))
    assert np.allclose(lexrank(similar), expected, atol=1e-5)


def test_lexrank_prefers_the_sentence_that_the_others_share_words_with() -> None:
    rows = word_rows([["dam", "water"], ["dam", "water", "power"], ["power", "price"], ["cat"]])
    assert int(lexrank(cosines(rows)).argmax()) == 1


def test_lexrank_of_no_words_is_even() -> None:
    assert np.allclose(lexrank(cosines(word_rows([[], []]))), 0.5)
    assert len(lexrank(np.zeros((0, 0)))) == 0


def test_the_budget_is_filled_to_what_comes_nearest() -> None:
    assert fill([2, 0, 1], costs=[10, 10, 10], budget=24) == [0, 2]
    assert fill([2, 0, 1], costs=[10, 10, 10], budget=26) == [0, 1, 2]
    assert fill([0], costs=[100], budget=5) == [0]
    assert words_for("short", 100) == 25
    assert words_for("short", 10) == 5


def test_a_name_costs_a_word() -> None:
    assert costs_of(SummaryInput("", ("I am here.", "Yes."), "en", "short", speakers=("Ann", ""))) == [4, 1]


def test_a_sentence_that_stands_alone_loses_its_tie_marks_and_footnotes() -> None:
    assert tidy("However, it\nworks.[3]", alone=True) == "It works."
    assert tidy("However, it works.", alone=False) == "However, it works."
    assert tidy("- milk", alone=True) == "milk"
    assert tidy("하지만 눈이 왔다.", alone=True) == "눈이 왔다."


@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_default_model_passes_its_golden_cases(language: str) -> None:
    """Without vectors, as on a machine whose embedder is not ready."""
    file = FOLDER / "golden" / f"{language}.jsonl"
    cases = read_cases(file)
    records = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    made = [summary(record["text"], language=language, length=record["length"]) for record in records]
    lacking = [
        (record["id"], word)
        for record, one in zip(records, made, strict=True)
        for word in record["must_contain"]
        if word not in one.text.lower()
    ]
    assert lacking == []
    assert rouge(made, cases).rouge1 > 42


def test_the_presets_name_the_built_in_models_and_only_pins_that_were_seen() -> None:
    presets = read_presets(FOLDER / "models.yaml")
    assert presets.defaults == ("summarise.extract.v1",)
    assert {spec.name for spec in presets.models if spec.source == "builtin"} == {
        "summarise.extract.v1",
        "summarise.lexrank.v1",
        "summarise.lead.v1",
    }
    hub = [spec for spec in presets.models if spec.source == "hub"]
    assert len(hub) >= 3
    assert all(spec.seen_at for spec in hub if spec.revision)
