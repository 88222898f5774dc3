import pytest

from bot.retrieval.people import named, spelled_out

PEOPLE = ["김민지", "Jun Park", "박서연", "Daniel Weber", "Sofia Rossi", "최현우", "Will", "?", ""]


@pytest.mark.parametrize(
    ("question", "who"),
    [
        ("민지가 뭐라고 했어?", "김민지"),
        ("민지님은 언제 온대", "김민지"),
        ("김민지 대리님께서 예산을", "김민지"),
        ("김민지씨한테 물어봐", "김민지"),
        ("what did Minji say", "김민지"),
        ("what did JUN say", "Jun Park"),
        ("Jun's umbrella", "Jun Park"),
        ("준이 뭐라고", "Jun Park"),
        ("소피아가 그랬어", "Sofia Rossi"),
        ("다니엘은", "Daniel Weber"),
        ("Hyunwoo said", "최현우"),
        ("did Daniel Weber order", "Daniel Weber"),
        ("ask Will", "Will"),
    ],
)
def test_a_person_is_known_by_a_part_of_the_name_in_either_script(question: str, who: str) -> None:
    assert [one.who for one in named(question, PEOPLE)] == [who]


@pytest.mark.parametrize(
    "question", ["will it rain", "민지역까지 가자", "June is warm", "서연구원", "what did the boss say", "", "?"]
)
def test_what_only_sounds_like_a_name_is_none(question: str) -> None:
    assert named(question, PEOPLE) == []


def test_names_are_spelled_as_the_platform_shows_them_without_particles() -> None:
    question = "민지님이 준한테 뭐라고 했어?"
    assert spelled_out(question, named(question, PEOPLE)) == "김민지 Jun Park 뭐라고 했어?"
