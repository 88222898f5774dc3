import pytest

from bot.text.gaps import narrowed


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("where   is\t it", "where is\tit"),
        ("one\n\n\ntwo", "one\ntwo"),
        ("  in ", " in "),
        ("", ""),
        ("그대로 둔다", "그대로 둔다"),
    ],
)
def test_of_a_run_of_white_space_the_first_sign_is_left(text: str, wanted: str) -> None:
    assert narrowed(text) == wanted
