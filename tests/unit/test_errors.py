"""What the system refuses is told in the reader's language."""

import errno

from bot.errors import refusal


def test_common_refusals_are_said_in_both_languages() -> None:
    denied = PermissionError(errno.EACCES, "Permission denied", "/x")
    assert (refusal(denied).to("en"), refusal(denied).to("ko")) == ("permission denied", "권한이 없어요")


def test_others_are_said_in_the_systems_words() -> None:
    assert refusal(OSError(errno.EXDEV, "x")).to("ko") == "Invalid cross-device link"
    assert refusal(OSError("no number {here}")).to("ko") == "no number {here}"
    assert refusal(OSError()).to("en") == "OSError"
