"""What a platform makes impossible: which behaviour where, why, and the platform's own page that says so. Everything else is tested."""

from __future__ import annotations

_LINES = "https://man7.org/linux/man-pages/man3/termios.3.html"
_PRINTED = "https://man7.org/linux/man-pages/man4/console_codes.4.html"
_PAGE = "docs/design.md#the-channels"
_ONE_PERSON = ("a_call_in_a_group_is_for_the_bot", "a_command_after_a_call_comes_in", "a_call_with_a_photo_comes_in",
               "talk_in_a_group_is_not_for_the_bot", "a_thread_is_a_place_of_its_own", "somebody_elses_button_is_refused",
               "it_speaks_only_when_spoken_to", "a_mention_with_a_photo_is_answered", "a_mention_alone_is_answered",
               "an_answer_stays_in_its_thread", "a_stranger_is_turned_away", "an_admins_order_is_refused_to_others",
               "each_thread_is_a_conversation")  # fmt: skip
_NO_NETWORK = ("told_to_wait_it_waits", "a_send_that_was_cut_is_sent_once", "a_send_in_doubt_is_not_doubled_silently",
               "a_platform_that_was_away_gets_its_answers", "a_chat_that_is_gone_holds_up_nobody")  # fmt: skip

IMPOSSIBLE: dict[tuple[str, str], str] = {
    **{
        (behaviour, "console"): f"A terminal has one person in front of it, and no threads: {_LINES}" for behaviour in _ONE_PERSON
    },
    **{(behaviour, "web"): f"The page is one person's, and one conversation: {_PAGE}" for behaviour in _ONE_PERSON},
    **{
        (behaviour, "console"): f"Nothing lies between the bot and a terminal that could fail: {_LINES}"
        for behaviour in _NO_NETWORK
    },
    **{
        (behaviour, "web"): f"The page reads what was answered from the bot's own database; nothing is sent: {_PAGE}"
        for behaviour in _NO_NETWORK
    },
    ("tldr_as_a_reply", "console"): f"A terminal takes lines, none of which refers to another: {_LINES}",
    ("it_is_shown_that_it_works", "console"): f"A mark stands beside the cursor, where the output is a terminal: {_PRINTED}",
    (
        "long_work_tells_and_ends_in_one_message",
        "console",
    ): f"What was printed stands; a mark beside the cursor tells: {_PRINTED}",
    ("long_work_is_cancelled_by_a_button", "console"): f"While it waits a terminal takes no line; Ctrl-C ends the chat: {_LINES}",
    ("what_is_told_twice_is_answered_once", "console"): f"A line that was entered is read once: {_LINES}",
    ("an_edited_question_is_answered_anew", "console"): f"A line that was entered is edited no more: {_LINES}",
    (
        "a_question_deleted_meanwhile_is_not_answered",
        "console",
    ): f"A line that was entered is taken back no more; /forget does it: {_LINES}",
    ("a_deleted_question_is_forgotten", "console"): f"A line that was entered is taken back no more; /forget does it: {_LINES}",
    ("an_edited_question_is_answered_anew", "web"): f"The page has no way to change what was said; it is asked anew: {_PAGE}",
    (
        "a_question_deleted_meanwhile_is_not_answered",
        "web",
    ): f"The page has no way to take back a message beside /forget: {_PAGE}",
    ("a_deleted_question_is_forgotten", "web"): f"The page has no way to take back a message beside /forget: {_PAGE}",
    (
        "a_question_deleted_meanwhile_is_not_answered",
        "telegram",
    ): "Telegram tells a bot nothing of deleted messages; /forget does it: https://core.telegram.org/bots/api#update",
    ("a_deleted_question_is_forgotten", "telegram"): "Telegram tells a bot nothing of deleted messages; /forget does it: "
    "https://core.telegram.org/bots/api#update",
    ("the_commands_are_offered", "matrix"): "Matrix has no menu of a bot's commands; `!help` names them: "
    "https://spec.matrix.org/v1.11/client-server-api/",
    ("several_files_come_in", "matrix"): "In Matrix each file is an event of its own: "
    "https://spec.matrix.org/v1.11/client-server-api/#mroommessage-msgtypes",
    ("the_commands_are_offered", "slack"): "Slack's menu of commands stands in the app's manifest, not with the bot: "
    "https://docs.slack.dev/reference/app-manifest",
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
