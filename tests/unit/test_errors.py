"""What the system refuses is told in the reader's language, and of which file."""

import errno

from bot.errors import UnreadableError, of_file, refusal


def test_common_refusals_are_said_in_both_languages() -> None:
    denied = PermissionError(errno.EACCES, "Permission denied", "/x")
    assert (refusal(denied).to("en"), refusal(denied).to("ko")) == ("permission denied", "권한이 없어요")


def test_others_are_said_in_the_systems_words() -> None:
    assert refusal(OSError(errno.EXDEV, "x")).to("ko") == "Invalid cross-device link"
    assert refusal(OSError("no number {here}")).to("ko") == "no number {here}"
    assert refusal(OSError()).to("en") == "OSError"


def test_of_several_files_the_refused_one_is_named_once() -> None:
    refused = UnreadableError("It is cut off.")
    assert str(of_file("cat.jpg\n", refused)) == "**cat.jpg**: It is cut off."
    assert of_file("c**at.jpg", refused).markdown("en") == r"**c\*\*at.jpg**: It is cut off."
    assert of_file("", refused) == refused.text  # a photo has no name
    assert str(of_file("cat.jpg", UnreadableError("cat.jpg is cut off."))) == "cat.jpg is cut off."
