"""What a platform makes impossible: which behaviour where, why, and the platform's own page that says so. Everything else is tested."""

from __future__ import annotations

_LINES = "https://man7.org/linux/man-pages/man3/termios.3.html"
_PRINTED = "https://man7.org/linux/man-pages/man4/console_codes.4.html"
_PAGE = "docs/design.md#the-channels"
_ONE_PERSON = ("a_call_in_a_group_is_for_the_bot", "a_command_after_a_call_comes_in", "a_call_with_a_photo_comes_in",
               "talk_in_a_group_is_not_for_the_bot", "a_thread_is_a_place_of_its_own")  # fmt: skip

IMPOSSIBLE: dict[tuple[str, str], str] = {
    **{
        (behaviour, "console"): f"A terminal has one person in front of it, and no threads: {_LINES}" for behaviour in _ONE_PERSON
    },
    **{(behaviour, "web"): f"The page is one person's, and one conversation: {_PAGE}" for behaviour in _ONE_PERSON},
    ("a_quote_is_taken_along", "console"): f"A terminal takes lines, none of which refers to another: {_LINES}",
    ("what_is_told_twice_comes_in_once", "console"): f"A line that was entered is read once: {_LINES}",
    ("an_edit_comes_in", "console"): f"A line that was entered is edited no more: {_LINES}",
    ("a_deletion_comes_in", "console"): f"A line that was entered is taken back no more; /forget does it: {_LINES}",
    (
        "a_status_becomes_the_answer",
        "console",
    ): f"What was printed stands; a mark beside the cursor is shown meanwhile: {_PRINTED}",
    ("an_edit_comes_in", "web"): f"The page has no way to change what was said; it is asked anew: {_PAGE}",
    ("a_deletion_comes_in", "web"): f"The page has no way to take back a message beside /forget: {_PAGE}",
    ("a_deletion_comes_in", "telegram"): "Telegram tells a bot nothing of deleted messages; /forget does it: "
    "https://core.telegram.org/bots/api#update",
}


def impossible(channel: str) -> dict[str, str]:
    """Return what is impossible in one channel: behaviour to why."""
    return {behaviour: why for (behaviour, where), why in IMPOSSIBLE.items() if where == channel}
