"""Questions whose names the passages write in another alphabet."""

import unicodedata
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

import numpy as np

from bot.retrieval.features import weigh
from bot.retrieval.lexical import scored, weigh_without
from bot.retrieval.spelt import MOST_HEARD, Spelt
from bot.retrieval.tokens import Tokens, fingerprints
from bot.retrieval.wordlist import SELDOM


class Library:
    """A vocabulary that counts how often it is read, and takes a second for that."""

    def __init__(self, *words: str) -> None:
        self.words = list(words)
        self.read = 0
        self.now = 0.0

    def __call__(self, first: str, end: str) -> list[str]:
        self.read += 1
        self.now += 1.0
        return [word for word in self.words if first <= word < end]

    def clock(self) -> float:
        return self.now


def everything(terms: AbstractSet[str]) -> AbstractSet[str]:
    return terms


def test_the_library_s_word_stands_for_the_pieces_that_the_dictionary_makes_of_a_name() -> None:
    library = Library("draco", "slack", "backup")
    spelt = Spelt().find("드라코의 슬랙 채널", library, everything)
    assert spelt == {"draco": ("드라", "코"), "slack": ("슬랙",)}


def test_a_name_is_heard_however_its_letters_are_composed() -> None:
    apart = unicodedata.normalize("NFD", "드라코")
    assert list(Spelt().find(apart, Library("draco"), everything)) == ["draco"]


def test_a_word_that_only_others_may_read_stands_for_nothing_and_hides_nothing() -> None:
    library = Library("draco", "drako", "drakko", "dracko")
    own = Spelt().find("드라코", library, lambda terms: terms & {"draco"})
    assert list(own) == ["draco"]


def test_a_word_of_others_does_not_hide_what_is_heard_with_the_particle() -> None:
    named = Library("colorado", "colora")
    assert list(Spelt().find("콜로라도", named, lambda terms: terms & {"colorado"})) == ["colorado"]
    assert list(Spelt().find("콜로라도", named, lambda terms: terms & {"colora"})) == ["colora"]


def test_a_name_in_latin_letters_is_heard_where_the_library_writes_it_in_hangul() -> None:
    library = Library("슬랙", "젠킨스", "백업", "slack")
    assert Spelt().find("Where is the Slack channel?", library, everything) == {"슬랙": ("slack",)}
    assert Spelt().find("Jenkins' builds", library, everything) == {"젠킨스": ("jenkin",)}
    assert Spelt().find("the backup of Oracle", library, everything) == {}
    assert Spelt().find("where is slack?", library, lambda terms: terms - {"슬랙"}) == {}


def test_a_text_of_nothing_but_small_words_reads_no_vocabulary() -> None:
    library = Library("draco", "슬랙")
    for text in ("그 저 이", "where is it?", "12 of 13, a1b2"):
        assert Spelt().find(text, library, everything) == {}
    assert library.read == 0


def test_a_word_that_was_asked_is_not_compared_again_until_the_vocabulary_is_read_anew() -> None:
    library = Library("slack")
    spelt = Spelt(clock=library.clock)
    spelt.find("슬랙", library, everything)
    spelt._latin._sounds = None  # type: ignore[assignment]  # to be asked no more
    assert list(spelt.find("슬랙", library, everything)) == ["slack"]


def test_the_vocabulary_is_read_anew_where_something_came_but_seldom() -> None:
    library = Library("slack")
    spelt = Spelt(clock=library.clock)
    spelt.find("슬랙", library, everything)
    spelt.find("슬랙", library, everything)
    assert library.read == 1
    library.words.append("draco")
    spelt.moved(gone=False)
    assert spelt.find("드라코", library, everything) == {}
    library.now += SELDOM
    assert list(spelt.find("드라코", library, everything)) == ["draco"]
    assert library.read == 2


def test_what_was_forgotten_is_not_remembered() -> None:
    library = Library("draco")
    spelt = Spelt(clock=library.clock)
    spelt.find("드라코", library, everything)
    assert "draco" in str(vars(spelt._latin))
    spelt.moved(gone=True)
    assert "draco" not in str(vars(spelt._latin))
    assert spelt.find("드라코", library, everything) == {}
    assert library.read == 1
    library.now += SELDOM
    assert list(spelt.find("드라코", library, everything)) == ["draco"]


def test_of_a_pasted_text_the_first_words_are_heard() -> None:
    library = Library("draco")
    text = "회의 " * MOST_HEARD
    assert Spelt().find(f"{text} 드라코", library, everything) == {}


def asked(**frequencies: int) -> tuple[Sequence[str], dict[str, int]]:
    return ["드라", "코", "backup"], {"드라": 0, "코": 0, "backup": 5} | frequencies


def test_the_word_counts_as_the_terms_that_it_stands_for() -> None:
    said, frequencies = asked(드라=1, 코=1)
    query = weigh(said, frequencies, 10, "드라코 backup", {"draco": ("드라", "코"), "other": ("없는",)})
    texts = [["the", "backup", "draco"], ["the", "backup", "드라", "코"], ["the", "backup"]]
    tokens = query.read(Tokens.of([fingerprints(text) for text in texts]))
    assert tokens.sizes.tolist() == [4, 4, 2]
    assert tokens.owners.tolist() == [0] * 4 + [1] * 4 + [2] * 2
    assert tokens.counts(query.marks)[0].tolist() == tokens.counts(query.marks)[1].tolist() == [1, 1, 1]
    plain = Tokens.of([fingerprints(text) for text in (["the", "backup", "draco", "now"], texts[1], texts[2])])
    scores = scored(plain, query, mean_length=3)
    assert scores[0] == scores[1] > scores[2]


def test_a_text_that_has_none_of_them_stays_as_it_is() -> None:
    query = weigh(*asked(), 10, "드라코 backup", {"draco": ("드라", "코")})
    tokens = Tokens.of([fingerprints(["the", "backup"])])
    assert query.read(tokens) is tokens
    assert query.read(Tokens.of([])).flat.tolist() == []


class Taken:
    """A database whose documents have these terms, a passage each."""

    def __init__(self, *texts: Sequence[str]) -> None:
        self.texts = texts

    def terms_of(self, _documents: object) -> list[bytes]:
        return [np.concatenate([np.zeros(2, "<u4"), fingerprints(text).astype("<u4")]).tobytes() for text in self.texts]


def test_without_a_document_the_word_that_it_has_counts_no_more() -> None:
    frequencies = {"드라": 2, "코": 2, "backup": 5}
    query = weigh(["드라", "코", "backup"], frequencies, 10, "드라코 backup", {"draco": ("드라", "코")})
    taken = Taken(["draco", "backup"], ["other"])
    again, rest = weigh_without(taken, "드라코 backup", query, frequencies, [1])  # type: ignore[arg-type]
    assert rest == {"드라": 1, "코": 1, "backup": 4}
    assert again.spelt == query.spelt
