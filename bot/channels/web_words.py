"""The sentences of the page itself, by the names that its markup and script use.

Owns the wording. Leaves to `assets/` where each is shown.

    words("ko")["send"]
"""

from __future__ import annotations

from bot.locale import Language, Text, phrases

_ = phrases(__file__)

WORDS: dict[str, Text] = {
    "ask": _("Ask, or drop files here"),
    "send": _("Send"),
    "attach": _("Attach files"),
    "attach_folder": _("Add a folder"),
    "switch": _("한국어로 보기"),
    "theme": _("Light or dark"),
    "sign_out": _("Sign out"),
    "earlier": _("Earlier messages"),
    "newest": _("Jump to the newest"),
    "offline": _("Connection lost. Trying again…"),
    "online": _("Connected again"),
    "typing": _("Working on it"),
    "log": _("Conversation"),
    "drop": _("Drop files or folders"),
    "drop_more": _("They stay on this machine."),
    "batch": _("{done} of {total} files"),
    "batch_ready": _("{total} files ready"),
    "batch_left_out": _("{count} left out"),
    "folder": _("Folder"),
    "reading_folder": _("Looking through the folder…"),
    "sending": _("Sending…"),
    "unsent": _("Not sent yet"),
    "again": _("Try again"),
    "too_large": _("{name} is larger than {limit} MB and was left out. Everything else is kept."),
    "empty_file": _("{name} is empty and was left out."),
    "too_many": _("One batch holds up to {limit} files. The first {limit} were taken; please drop the rest after these."),
    "nothing_there": _("There was no file in what you dropped."),
    "upload_failed": _("{name} could not be uploaded. Nothing of it was kept; please drop it again."),
    "still_uploading": _("Your files are still on their way. They are sent as soon as all are here."),
    "too_long": _("That text is too long to send. Save it as a file and drop it here."),
    "remove": _("Remove {name}"),
    "quote": _("Reply to this"),
    "unquote": _("Do not reply to it"),
    "copy": _("Copy"),
    "copied": _("Copied"),
    "hint": _("Enter sends, Shift+Enter starts a new line"),
    "commands": _("Commands"),
    "empty_title": _("What are you looking for?"),
    "empty_text": _(
        "Drop a folder or files anywhere on this page, then ask about them in your own words. Nothing leaves this machine."
    ),
    "choose_files": _("Choose files"),
    "choose_folder": _("Choose a folder"),
    "file_kinds": _("PDF, Word, PowerPoint, Excel, Markdown, mail, web pages, code, photos"),
    "file_limits": _("Up to {mb} MB a file, {count} files at a time"),
    "documents_here": _("{count} documents are here to be asked about."),
    "for_instance": _("Then ask, for instance"),
    "example_1": _("What can you do?"),
    "example_2": _("How long does the warranty last?"),
    "example_3": _("Who moved the meeting to Friday?"),
    "example_4": _("Summarise this in three lines:"),
    "you": _("You"),
    "sources": _("Sources"),
    "sureness": _("How sure"),
    "open": _("Open"),
    "how": _("How this was answered"),
    "skill": _("Skill"),
    "model": _("Model"),
    "route": _("Routing"),
    "time": _("Time"),
    "sent_out": _("Sent off this machine"),
    "nothing": _("nothing"),
    "more_files": _("and {count} more"),
    "show_all": _("Show all {count} characters"),
    "copy_code": _("Copy the code"),
    "pasted": _("What you pasted is too long for a message, so it goes along as a file."),
    "pasted_name": _("pasted text"),
    "models": _("Models"),
    "back": _("Back to the chat"),
    "original": _("Open the original"),
    "passage_found": _("The passage that answered"),
    "passage_lost": _("The document has changed since that answer. This is how it reads now."),
    "no_text": _("There is no text in this document."),
    "earlier_part": _("What stands before"),
    "later_part": _("What comes after"),
    "page_number": _("Page {page}"),
}


def words(language: Language) -> dict[str, str]:
    """Return every word of the page in `language`; braces stay for the script to fill."""
    return {name: text.to(language) for name, text in WORDS.items()}
