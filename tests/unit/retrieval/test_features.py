import numpy as np
import pytest

from bot.retrieval.features import FEATURES, Candidates, features, hangul_share, weigh
from bot.retrieval.tokens import SORTS, Tokens, fingerprints
from bot.text.words import terms


def rows(
    query: str,
    bodies: list[str],
    titles: list[str] | None = None,
    *,
    vectors: np.ndarray | None = None,
    groups: list[int] | None = None,
    korean: bool = False,
):
    cut = [terms(body) for body in bodies]
    frequencies = {term: sum(term in body for body in cut) for body in cut for term in body}
    count = len(bodies)
    candidates = Candidates(
        Tokens.of([fingerprints(terms(title)) for title in titles or [""] * count]),
        Tokens.of([fingerprints([])] * count),
        Tokens.of([fingerprints(body) for body in cut]),
        np.array([hangul_share(body) for body in bodies], np.float32),
        vectors if vectors is not None else np.zeros((count, 4), np.float32),
        np.array(groups or range(count), np.int64),
    )
    asked = weigh(terms(query), frequencies, count, query)
    table = features(asked, candidates, np.eye(4, dtype=np.float32)[0], mean_length=5, korean=korean)
    assert table.shape == (count, len(FEATURES))
    assert np.isfinite(table).all()
    return {name: table[:, column] for column, name in enumerate(FEATURES)}


def test_the_passage_that_says_more_of_the_query_fits_better() -> None:
    found = rows("blue lamp in the hall", ["a blue lamp stands in the hall", "a lamp", "a dog sleeps"])
    assert found["words"][0] > found["words"][1] > found["words"][2] == 0
    assert found["covered"][0] == pytest.approx(1)
    assert found["words_to_best"][0] == 1


def test_words_side_by_side_count_as_pairs() -> None:
    found = rows("blue lamp", ["the blue lamp", "the lamp is blue", "a dog"])
    assert found["pairs"].tolist() == [1, 0, 0]


def test_a_pair_is_not_seen_across_two_passages() -> None:
    assert rows("blue lamp", ["the sky is blue", "lamp shop", "dog"])["pairs"].tolist() == [0, 0, 0]


def test_numbers_of_the_query_are_looked_for() -> None:
    assert rows("budget of 2024", ["budget of 2023", "budget of 2024"])["numbers"].tolist() == [0, 1]


def test_a_title_that_the_query_names_is_told() -> None:
    found = rows("who is in Warsaw", ["it is old", "it is new"], ["Warsaw", "History of Rome"])
    assert found["title_named"].tolist() == [1, 0]


def test_the_cosine_of_hangul_stands_in_a_column_of_its_own() -> None:
    vectors = np.tile(np.eye(4, dtype=np.float32)[0], (2, 1))
    found = rows("the lamp", ["파란 등", "blue lamp"], vectors=vectors)
    assert found["cosine"].tolist() == [0, 1]
    assert found["hangul_cosine"].tolist() == [1, 0]


def test_the_cosine_of_hangul_counts_as_any_other_where_the_embedder_knows_it() -> None:
    vectors = np.tile(np.eye(4, dtype=np.float32)[0], (2, 1))
    found = rows("the lamp", ["파란 등", "blue lamp"], vectors=vectors, korean=True)
    assert found["cosine"].tolist() == [1, 1]
    assert found["hangul_cosine"].tolist() == [1, 0]
    assert found["cross"].tolist() == [1, 0]


def test_a_passage_in_another_language_is_compared_with_the_best_of_its_own() -> None:
    vectors = np.array([[0.8, 0, 0, 0], [0.5, 0, 0, 0], [0.4, 0, 0, 0]], np.float32)
    found = rows("파란 등", ["파란 등", "blue lamp", "a dog"], vectors=vectors, korean=True)
    assert found["hangul_cosine_to_best"] == pytest.approx([0, 0, -0.1])
    assert found["cosine_to_best"] == pytest.approx([0, -0.3, -0.4])


def test_neighbours_of_a_group_lend_their_best_value() -> None:
    found = rows("blue lamp", ["blue lamp", "a dog", "a cat"], groups=[1, 1, 2])
    assert found["group_words"][1] == found["words"][0]
    assert found["group_words"][0] == found["words"][1] == 0
    assert found["group_words"][2] == 0


def test_no_candidates_give_an_empty_table() -> None:
    nothing = Candidates(
        Tokens.of([]), Tokens.of([]), Tokens.of([]), np.zeros(0, np.float32), np.zeros((0, 4), np.float32), np.zeros(0, np.int64)
    )
    assert features(weigh(["a"], {}, 1, "a"), nothing, np.zeros(4, np.float32), mean_length=1).shape == (0, len(FEATURES))


def test_function_words_weigh_little_and_rare_words_much() -> None:
    asked = weigh(["the", "rare", "common"], {"the": 90, "rare": 1, "common": 90}, 100, "the rare common")
    assert asked.terms == ("rare", "common", "the")
    assert not asked.unknown.any()
    assert weigh(["new"], {}, 100, "new").unknown.all()


def test_hangul_share_counts_letters_alone() -> None:
    assert hangul_share("한글 123!") == 1
    assert hangul_share("abcd 한글") == pytest.approx(2 / 6)
    assert hangul_share("123") == 0


def test_terms_are_found_where_they_stand_in_their_own_text() -> None:
    tokens = Tokens.of([fingerprints(["a", "b", "a"]), fingerprints([]), fingerprints(["b", "c"])])
    places = tokens.find(fingerprints(["b", "a", "x"]))
    assert list(zip(places.at.tolist(), places.which.tolist(), strict=True)) == [(1, 0), (3, 0), (0, 1), (2, 1)]
    assert tokens.counts(fingerprints(["b", "a", "x"])).tolist() == [[1, 2, 0], [0, 0, 0], [1, 0, 0]]
    assert Tokens.of([fingerprints([])]).counts(fingerprints(["b"])).tolist() == [[0]]


def test_terms_of_one_sort_are_told_apart() -> None:
    one, other = 5, 5 + SORTS
    tokens = Tokens.of([np.array(text, np.uint32) for text in ([one, other, 7], [other, other])])
    asked = np.array([other, one], np.uint32)
    likely = tokens.likely(asked)
    assert likely.flat.tolist() == [one, other, other, other]
    assert likely.counts(asked).tolist() == tokens.counts(asked).tolist() == [[1, 1], [2, 0]]


def test_a_pair_counts_once_a_passage_and_in_its_order_alone() -> None:
    table = rows("blue lamp", ["it is blue", "lamp it is", "a blue lamp", "blue lamp blue lamp", "lamp blue"])
    assert table["pairs"].tolist() == [0, 0, 1, 1, 0]


def test_words_that_only_ask_weigh_little_however_rare() -> None:
    asked = weigh(terms("연차는 몇 번, 며칠 쓰나요?"), {"연차": 1, "쓰": 1}, 5, "")
    light = {term for term, is_light in zip(asked.terms, asked.light, strict=True) if is_light}
    assert {"몇", "번", "며칠"} <= light
    assert "연차" not in light
    assert asked.terms[0] in ("연차", "쓰")


@pytest.mark.parametrize(
    ("question", "verb", "kept"),
    [
        ("how many days do I get", "get", "day"),
        ("when must we leave the hall", "must", "hall"),
        ("관객은 몇 명 왔어?", "오", "관객"),
    ],
)
def test_what_a_question_is_built_with_is_no_rare_word_of_a_small_library(question: str, verb: str, kept: str) -> None:
    few, many = (weigh(terms(question), dict.fromkeys(terms(question), 1), passages, "") for passages in (90, 5000))
    assert few.light[few.terms.index(verb)]
    assert not few.light[few.terms.index(kept)]
    assert not many.light[many.terms.index(verb)]


def test_the_day_after_which_is_asked_for_is_told_in_other_words() -> None:
    asked = weigh(terms("장터는 무슨 요일에 서나요?"), {"장터": 1}, 90, "")
    assert asked.light[asked.terms.index("요일")]


def test_words_that_are_told_already_weigh_as_little_as_function_words() -> None:
    asked = weigh(["year", "walnut", "bread"], {"walnut": 1, "bread": 2}, 9, "")
    told = asked.lightened({"year"})
    assert (asked.terms[0], told.terms[-1]) == ("year", "year")
    assert told.light.tolist() == [False, False, True]
    assert not told.unknown[-1]
    assert told.weights[-1] == pytest.approx(asked.weights[0] * 0.1)
    assert {(told.terms[a], told.terms[b]) for a, b in told.pairs} == {("year", "walnut"), ("walnut", "bread")}
    assert told.marks.tolist() == [asked.marks[asked.terms.index(term)] for term in told.terms]
