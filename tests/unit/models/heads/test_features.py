"""What is looked at in a text."""

import subprocess
import sys

import pytest

from bot.models.heads.features import SHORT, embeddable, features, gist, normalise

PASTED = (
    "The central bank left interest rates unchanged on Thursday, saying that inflation was easing but remained above its goal. "
    "Markets had expected the decision. Economists now see a first cut in the autumn at the earliest, and shares fell by one percent."
)


@pytest.mark.parametrize("text", [f"summarise this: {PASTED}", f"Summarise this:\n\n{PASTED}", f"summarise this:\n{PASTED}"])
def test_the_order_before_a_pasted_text_is_its_gist(text: str) -> None:
    assert gist(text).lower() == "summarise this:"


@pytest.mark.parametrize("text", [f"{PASTED}\n\n세 줄로 요약해줘", f"{PASTED}\n세 줄로 요약해줘"])
def test_the_order_after_a_pasted_text_is_its_gist(text: str) -> None:
    assert gist(text) == "세 줄로 요약해줘"


def test_a_pasted_text_alone_is_seen_at_both_ends() -> None:
    seen = gist(PASTED)
    assert seen.startswith("The central bank")
    assert seen.endswith("one percent.")
    assert len(seen) < len(PASTED)


def test_a_short_text_is_its_own_gist() -> None:
    assert gist("  where is the plan?\nand the budget?  ") == "where is the plan?\nand the budget?"


def test_a_megabyte_without_a_space_is_cut() -> None:
    assert len(gist("가" * 1_000_000)) <= SHORT + 100


@pytest.mark.parametrize("text", ["", " ", "\x00", "\ud800", "🎉", "???", "ㅋ" * 500, "a" * 300_000, "\u200b\u202e"])
def test_any_text_has_features(text: str) -> None:
    weights, _names = features(text)
    assert weights
    embeddable(text).encode()


def test_features_are_the_same_in_another_process() -> None:
    program = "from bot.models.heads.features import features; print(sorted(features('이거 요약해줘 please')[0].items()))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(sorted(features("이거 요약해줘 please")[0].items()))


def test_case_width_and_numbers_do_not_matter() -> None:
    assert normalise("SUMMARISE １２ pages!!!!") == normalise("summarise 7 pages!!")


def test_missing_spaces_keep_most_of_korean() -> None:
    spaced, joined = features("이거 번역해 줘")[0], features("이거번역해줘")[0]
    assert len(spaced.keys() & joined.keys()) > len(joined) / 2


def test_an_english_embedder_is_given_english() -> None:
    assert embeddable("불 꺼줘") == "light turn off"
    assert embeddable("turn off the light") == "turn off the light"
    assert "summary" in embeddable("이거 summary 해줘")
