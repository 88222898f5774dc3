"""Words in Hangul and the Latin words that they sound like."""

from pathlib import Path

import pytest

from bot.text.sounds import Sounds, called, comparable, heard
from bot.text.words import stem

PAIRS = [
    ("드라코", "draco"), ("브래드포드", "bradford"), ("포토샵", "photoshop"), ("디즈니랜드", "disneyland"), ("보툴리눔", "botulinum"),
    ("플리머스", "plymouth"), ("도커", "docker"), ("쿠버네티스", "kubernetes"), ("슬랙", "slack"), ("스티븐", "steven"), ("프로젝트", "project"),
    ("서버", "server"), ("크리스", "chris"), ("텍사스", "texas"), ("캘리포니아", "california"), ("구글", "google"), ("아마존", "amazon"),
    ("오라클", "oracle"), ("젠킨스", "jenkins"), ("워싱턴", "washington"), ("휴스턴", "houston"), ("헬름", "helm"),
]  # fmt: skip
NAMES = Path(__file__).parents[3] / "benchmarks" / "names.txt"
SOUNDS = Sounds()


def alike(word: str, *others: str) -> list[str]:
    return SOUNDS.alike(word, [SOUNDS.cut(others)])


@pytest.mark.parametrize(("hangul", "latin"), PAIRS)
def test_a_name_in_hangul_is_heard_as_it_is_written_in_latin(hangul: str, latin: str) -> None:
    assert alike(hangul, stem(latin)) == [stem(latin)]
    assert SOUNDS.beginnings(hangul, SOUNDS.cut(["zz", latin[:2]])) == [latin[:2]]


@pytest.mark.parametrize(("hangul", "latin"), PAIRS)
def test_a_name_in_latin_letters_is_heard_as_it_is_written_in_hangul(hangul: str, latin: str) -> None:
    assert alike(stem(latin), hangul) == [hangul]
    assert SOUNDS.beginnings(stem(latin), SOUNDS.cut(["쭈", hangul[0]])) == [hangul[0]]


def test_either_way_two_words_score_the_same() -> None:
    there = [SOUNDS.score(hangul, stem(latin)) for hangul, latin in PAIRS]
    back = [SOUNDS.score(stem(latin), hangul) for hangul, latin in PAIRS]
    assert there == pytest.approx(back, abs=1e-3)


def test_another_name_is_not_heard() -> None:
    known = [stem(latin) for _hangul, latin in PAIRS]
    heard_as = {hangul: alike(hangul, *known) for hangul, _latin in PAIRS}
    assert heard_as == {hangul: [stem(latin)] for hangul, latin in PAIRS}


def test_of_many_names_most_are_heard_and_hardly_another() -> None:
    pairs = [(hangul, stem(latin)) for hangul, latin in map(str.split, NAMES.read_text(encoding="utf-8").splitlines())]
    known = sorted({latin for _hangul, latin in pairs})
    found = {hangul: alike(hangul, *known) for hangul, _latin in pairs[::4]}
    right = sum(latin in found[hangul] for hangul, latin in pairs[::4])
    assert right > 0.9 * len(pairs[::4])
    assert sum(map(len, found.values())) - right < 0.0005 * len(known) * len(found)


@pytest.mark.parametrize(("hangul", "latin"), [("드라코", "directory"), ("도커", "duck"), ("서버", "super"), ("휴가", "hook")])
def test_the_vowels_tell_two_words_of_the_same_consonants_apart(hangul: str, latin: str) -> None:
    assert alike(hangul, latin) == []


def test_the_most_alike_comes_first() -> None:
    assert alike("프로젝트", "prejudict", "project")[:1] == ["project"]


def test_words_in_several_lots_are_found_as_in_one() -> None:
    words = ["slack", "draco", "slice", "sleek", "slacken"]
    one_by_one = SOUNDS.alike("슬랙", [SOUNDS.cut([word]) for word in words])
    assert one_by_one == alike("슬랙", *words)
    assert one_by_one[0] == "slack"
    assert SOUNDS.alike("슬랙", []) == alike("슬랙") == SOUNDS.beginnings("슬랙", SOUNDS.cut([])) == []


def test_a_word_of_few_sounds_is_heard_as_none() -> None:
    assert alike("이", "eye") == alike("이야", "x", "why") == []
    assert list(heard("네 값 a 슬 b")) == []


def test_a_word_is_heard_without_its_particle_as_well() -> None:
    assert list(heard("드라코의 백업은 where 서울에서는?")) == [
        ("드라코의", "드라코"),
        ("백업은", "백업"),
        ("서울에서는", "서울"),
    ]


def test_a_verb_is_no_name() -> None:
    assert list(heard("만드나요 있습니다 하는 바꾸려면 어디에")) == [("어디에", "어디")]


def test_an_ordinary_loan_word_in_latin_letters_is_no_name() -> None:
    assert list(called("when do the backups of draco, jenkins and a1 run? 슬랙")) == [
        "when",
        "the",
        "draco",
        "jenkin",
        "and",
        "run",
    ]


def test_no_text_breaks_it() -> None:
    odd = ["", "a", "naïve", "x" * 100, "rhythm", "1st", "가", "漢字"]
    for word in ("가나", "힣힣", "ㄱㄴ", "드드", "으아", "", "zz", "漢字"):
        assert [one for one in alike(word, *odd) if comparable(one)] == []


@pytest.mark.parametrize("word", ["slack", "슬랙", "와이파이"])
def test_a_word_of_letters_is_compared(word: str) -> None:
    assert comparable(word)


@pytest.mark.parametrize("word", ["", "a", "it", "슬", "naïve", "슬랙s", "漢字", "a1b2", "x" * 30, "ㅋㅋㅋ"])
def test_a_sign_and_what_is_of_two_alphabets_is_not(word: str) -> None:
    assert not comparable(word)


def test_a_word_far_longer_or_without_the_letters_that_are_always_kept_is_another() -> None:
    assert alike("슬랙", "slacktivistically") == []
    assert alike("슬랙", "slam") == alike("슬랙", "shack") == alike("슬랙", "slap") == []
