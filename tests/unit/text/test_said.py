"""What a short sentence says, word by word."""

from bot.text.said import FILES, said_words, word_set


def test_particles_go_but_not_from_words_that_are_known_whole() -> None:
    assert said_words("내 파일을 지워줘", whole=frozenset()) == {"내", "파일", "지워줘"}
    assert said_words("우리가 보낸 문서는?", whole={"우리가"}) == {"우리가", "보낸", "문서"}


def test_words_are_compared_without_regard_to_case_and_form() -> None:
    assert said_words("My FILES, please", whole=frozenset()) == {"my", "files", "please"}
    assert said_words("\u1111\u1161\u110b\u1175\u11af", whole=frozenset()) == {"파일"}


def test_a_list_is_its_words() -> None:
    assert word_set(" one\n two ") == {"one", "two"}
    assert {"files", "문서"} <= FILES
