"""What IRC makes impossible: which behaviour of the contract, why, and the page that says so. Everything else is tested."""

from __future__ import annotations

MESSAGES = "https://www.rfc-editor.org/rfc/rfc2812#section-3.3"
_TEXT_ALONE = f"A message is text alone: {MESSAGES}"
_NO_NUMBERS = f"No message refers to another: {MESSAGES}"
_STANDS = f"What was said stands: {MESSAGES}"
IMPOSSIBLE: dict[str, str] = {
    "many_lines_come_in_as_they_stand": f"A message is one line: {MESSAGES}",
    "what_is_told_twice_comes_in_once": f"A line is told once, and has no number by which it could be told again: {MESSAGES}",
    "what_is_told_twice_is_answered_once": f"A line is told once, and has no number by which it could be told again: {MESSAGES}",
    "a_photo_comes_in": _TEXT_ALONE,
    "a_photo_alone_comes_in": _TEXT_ALONE,
    "a_file_comes_in": _TEXT_ALONE,
    "a_hostile_name_is_made_harmless": _TEXT_ALONE,
    "several_files_come_in": _TEXT_ALONE,
    "a_call_with_a_photo_comes_in": _TEXT_ALONE,
    "a_mention_with_a_photo_is_answered": _TEXT_ALONE,
    "a_document_is_kept_and_found": _TEXT_ALONE,
    "a_photo_is_taken": _TEXT_ALONE,
    "a_file_that_is_too_large_is_told": _TEXT_ALONE,
    "a_quote_is_taken_along": _NO_NUMBERS,
    "tldr_as_a_reply": _NO_NUMBERS,
    "an_edit_comes_in": _STANDS,
    "an_edited_question_is_answered_anew": _STANDS,
    "a_deletion_comes_in": f"What was said stands; !forget has the bot forget it: {MESSAGES}",
    "a_question_deleted_meanwhile_is_not_answered": f"What was said stands: {MESSAGES}",
    "a_deleted_question_is_forgotten": f"What was said stands; !forget has the bot forget it: {MESSAGES}",
    "a_status_becomes_the_answer": _STANDS,
    "long_work_tells_and_ends_in_one_message": _STANDS,
    "long_work_is_cancelled_by_a_button": _STANDS,
    "a_thread_is_a_place_of_its_own": f"A channel has no threads: {MESSAGES}",
    "an_answer_stays_in_its_thread": f"A channel has no threads: {MESSAGES}",
    "each_thread_is_a_conversation": f"A channel has no threads: {MESSAGES}",
    "it_is_shown_that_it_works": f"Nobody is told that somebody types: {MESSAGES}",
    "the_commands_are_offered": f"There is no menu; !help names the commands: {MESSAGES}",
    "somebody_elses_button_is_refused": "A number is of the buttons that its writer was given: nobody can press another's: "
    "docs/adding-a-channel.md#what-it-does",
    "told_to_wait_it_waits": "A server asks nobody to wait; it reads later: https://www.rfc-editor.org/rfc/rfc1459#section-8.10",
}
