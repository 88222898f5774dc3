import dataclasses
import json

import numpy as np
import pytest

from bot.retrieval.evidence import EVIDENCE
from bot.retrieval.features import FEATURES, FEW
from bot.retrieval.fuse import ACROSS, STANDINGS, Fusion, Trees, languages, standing

JUDGED = len(FEATURES) + STANDINGS + len(EVIDENCE)


MINILM, BILINGUAL = "embed.minilm.v1@53aa51172d14", "embed.minilm-ko.v3@53aa51172d14-134153da"
FORMER = ("embed.minilm-ko.v1@53aa51172d14-6f2e09e3", "embed.minilm-ko.v2@53aa51172d14-951b9724")


@pytest.mark.parametrize("embedder", [MINILM, BILINGUAL, *FORMER])
def test_the_packaged_combiners_are_of_this_codes_features(embedder: str) -> None:
    fusion = Fusion.packaged(embedder)
    assert fusion.order(np.zeros((3, len(FEATURES)), np.float32)).shape == (3,)
    assert 0 <= fusion.chance(np.zeros(JUDGED, np.float32), "ko") <= 1
    assert {"ko", "en"} <= set(fusion.thresholds)
    assert all(0 < cut < 1 for cut in fusion.thresholds.values())
    assert {second.embedder for second in fusion.second.values()} == {embedder}


@pytest.mark.parametrize(
    ("embedder", "korean"), [(MINILM, False), ("embed.static.v1@1", False), (BILINGUAL, True), ("embed.labse.v1@1", True)]
)
def test_an_embedder_that_knows_no_korean_has_a_combiner_that_does_not_believe_it(embedder: str, korean: bool) -> None:
    assert Fusion.packaged(embedder).korean is korean


def test_between_two_languages_an_answer_has_a_threshold_of_its_own() -> None:
    with_one, without = (
        dataclasses.replace(Fusion.untrained(), thresholds={"ko": 0.3, "en": 0.2, **more}) for more in ({ACROSS: 0.5}, {})
    )
    asked = [("ko", "ko"), ("en", "en"), ("ko", "en"), ("en", "ko")]
    assert [with_one.threshold(languages(*pair), pair[0]) for pair in asked] == [0.3, 0.2, 0.5, 0.5]
    assert [without.threshold(languages(*pair), pair[0]) for pair in asked] == [0.3, 0.2, 0.3, 0.2]


def test_between_two_languages_another_judge_is_asked() -> None:
    both = Fusion.untrained()
    sure = dataclasses.replace(both.answers, out_bias=5.0)
    fusion, row = dataclasses.replace(both, across=sure), np.zeros(JUDGED, np.float32)
    assert fusion.chance(row, ACROSS) > fusion.chance(row, "ko") == both.chance(row, ACROSS) == 0.5


def test_more_words_of_the_query_rank_higher_all_else_alike() -> None:
    rows = np.zeros((2, len(FEATURES)), np.float32)
    for name in ("words", "covered", "words_to_best", "first_words", "heaviest"):
        rows[0, FEATURES.index(name)] = 0.9
        rows[1, FEATURES.index(name)] = 0.2
    scores = Fusion.packaged().order(rows)
    assert scores[0] > scores[1]


def test_weights_of_other_features_are_refused() -> None:
    with pytest.raises(ValueError, match="other features"):
        Fusion.from_json(json.dumps({"features": ["words"]}))


def test_an_outlier_is_bounded() -> None:
    fusion = Fusion.packaged()
    far, farther = (np.full((1, len(FEATURES)), size, np.float32) for size in (1e6, 1e9))
    assert fusion.order(far) == fusion.order(farther)


def test_standing_tells_the_distance_to_the_rival() -> None:
    scores = np.array([3.0, 1.0, 2.0], np.float32)
    assert [standing(scores, place)[0] for place in range(3)] == [1, -2, -1]
    assert standing(np.array([5.0], np.float32), 0).tolist() == [1, 0, 0]


@pytest.mark.parametrize("count", [2, 3, 4, 11, 12])
def test_standing_tells_the_distance_to_the_middle_and_to_the_tenth(count: int) -> None:
    scores = np.random.default_rng(count).normal(size=count).astype(np.float32)
    standings = np.stack([standing(scores, place) for place in range(count)])
    assert standings.shape == (count, STANDINGS)
    np.testing.assert_allclose(standings[:, 1], scores - np.median(scores), atol=1e-6)
    np.testing.assert_allclose(standings[:, 2], scores - np.sort(scores)[::-1][min(9, count - 1)], atol=1e-6)


def test_trees_are_walked_to_their_leaves_and_added_up() -> None:
    # the first asks whether column 1 is up to 0.5, and of those whether column 0 is up to 0; the second is a leaf
    trees = Trees(
        roots=np.array([0, 5]),
        columns=np.array([1, 0, -1, -1, -1, -1]),
        cuts=np.array([0.5, 0.0, 0, 0, 0, 0], np.float32),
        left=np.array([1, 2, 0, 0, 0, 0]),
        right=np.array([4, 3, 0, 0, 0, 0]),
        values=np.array([0, 0, 1.0, 2.0, 4.0, 8.0], np.float32),
        base=0.5,
    )
    rows = ([0.0, 0.5], [0.1, 0.5], [0.0, 0.6])
    assert [trees(np.array(row, np.float32)) for row in rows] == [9.5, 10.5, 12.5]


def test_a_second_look_is_taken_where_the_first_is_unsure_of_vectors_that_it_knows() -> None:
    fusion = Fusion.packaged(MINILM)
    second = fusion.second["en"]
    low, high = second.unsure
    assert low < fusion.thresholds["en"] < high
    assert fusion.in_doubt("en", second.embedder, low) is second
    assert fusion.in_doubt("en", second.embedder, high) is None
    assert fusion.in_doubt("en", "another@1", low) is None
    assert fusion.in_doubt("ko", second.embedder, low) is None


def test_a_sentence_nearer_to_the_question_is_likelier_an_answer() -> None:
    second = Fusion.packaged().second["en"]
    row = np.zeros(JUDGED, np.float32)
    far, near = (np.array([cosine, cosine, cosine, cosine, 1, cosine - 0.4], np.float32) for cosine in (0.05, 0.9))
    assert second.chance(row, near) > second.chance(row, far)


def test_a_library_of_few_passages_has_judges_of_its_own() -> None:
    fusion = Fusion.packaged()
    assert fusion.few is not None
    assert fusion.among(FEW) is fusion.few is not fusion.among(FEW + 1) is fusion
    assert fusion.few.order is fusion.order
    assert {"ko", "en", ACROSS} <= set(fusion.few.thresholds)


def test_a_combiner_without_judges_of_few_passages_judges_all_alike() -> None:
    fusion = Fusion.packaged(MINILM)
    assert fusion.among(1) is fusion
