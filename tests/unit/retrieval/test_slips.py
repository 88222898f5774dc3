import pytest

from bot.passage import Mended
from bot.retrieval.slips import early, mended, near, nearest, told, words_of
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


@pytest.mark.parametrize(
    ("texts", "word"),
    [
        (["Our holidays: the holiday of May"], "holiday"),
        (["Holiday rules", "holidays"], "Holiday"),
        (["HOLIDAYS and more"], "HOLIDAYS"),
        (["", "holiday_rules.pdf"], "holiday"),
        (["May의 holiday는 하루"], "holiday"),
    ],
)
def test_a_mended_word_is_told_as_it_stands_in_the_text(texts: list[str], word: str) -> None:
    assert mended("when is the Holidya?", "when is the holiday?", texts) == (Mended("Holidya", word),)


@pytest.mark.parametrize("text", ["the days off", "holi", "xholiday holiday2"])
def test_a_mended_word_that_stands_nowhere_is_not_told(text: str) -> None:
    assert mended("when is the holidya?", "when is the holiday?", [text]) == ()


def test_several_are_told_in_their_order_and_each_once() -> None:
    said, meant = "recieve recieve at the Goverment", "receive receive at the government"
    words = mended(said, meant, ["the government receives, we receive"])
    assert words == (Mended("recieve", "receive"), Mended("Goverment", "government"))
    sentence = told(words)
    assert sentence is not None
    assert sentence.to("en") == "I looked for “receive”, “government”, not “recieve”, “Goverment”."
    assert sentence.to("ko") == "“recieve”, “Goverment” 대신 “receive”, “government”(으)로 찾았어요."


def test_of_no_words_there_is_no_sentence() -> None:
    assert told(()) is None
