import pytest

from bot.retrieval.slips import early, near, nearest, words_of
from bot.text.words import stem

LIBRARY = [
    stem(word) for word in ("receive", "container", "government", "maintenance", "running", "secondary", "Kubernetes".lower())
]


def meant(word: str, library: list[str] = LIBRARY) -> str | None:
    return nearest(near(word, library))


@pytest.mark.parametrize(
    ("mistyped", "word"),
    [
        ("recieve", "receive"),
        ("recieved", "received"),
        ("contianer", "container"),
        ("contaner", "container"),
        ("goverment", "government"),
        ("governmentt", "government"),
        ("secndary", "secondary"),
        ("runnign", "running"),
        ("kubernetess", "kubernetes"),
    ],
)
def test_one_slip_is_mended_in_the_stem_and_in_the_ending(mistyped: str, word: str) -> None:
    found = meant(mistyped)
    assert found is not None
    assert stem(found) == stem(word)


def test_the_whole_word_is_told_and_not_its_stem() -> None:
    assert meant("computr", [stem("computer")]) == "computer"


@pytest.mark.parametrize("word", ["elephant", "receptive", "maintains", "goevrmnent"])
def test_what_is_more_than_a_slip_away_is_left(word: str) -> None:
    assert meant(word) is None


def test_one_of_two_that_are_as_near_is_not_guessed() -> None:
    assert meant("relased", [stem("released"), stem("relaxed")]) is None


def test_a_swap_is_nearer_than_another_letter() -> None:
    assert meant("recieve", [stem("receive"), stem("relieve")]) == "receive"


def test_slips_in_the_first_letters_are_tried() -> None:
    assert "government" in early("gvernment")
    assert "government" in early("goovernment")
    assert "government" in early("gvoernment")


def test_words_are_told_with_their_places_and_no_addresses_short_words_and_codes() -> None:
    text = "Where is Kubernets를 the e-mail of ann@example.org, paring.config, x64build or /var/lib/folder?"
    assert [(text[place.start : place.end], place.word) for place in words_of(text)] == [("Kubernets", "kubernets")]
