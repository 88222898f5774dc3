"""The sentences of the admin page, by the names that its markup and script use.

words("ko")["promote"]
"""

from __future__ import annotations

from bot.locale import Language, Text, phrases

_ = phrases(__file__)

WORDS: dict[str, Text] = {
    "title": _("Models"),
    "back": _("Back to the chat"),
    "to_models": _("Back to the models"),
    "memory": _("Memory"),
    "memory_free": _("{taken} of {budget} taken, {free} free"),
    "nothing_loaded": _("No model is loaded yet."),
    "slots": _("Live models"),
    "slot": _("Slot"),
    "model": _("Model"),
    "health": _("Health"),
    "size": _("Size"),
    "ram": _("Memory"),
    "p50": _("p50"),
    "share": _("Traffic"),
    "try": _("Try"),
    "try_label": _("Try another model for {slot}"),
    "other": _("Another: hub:owner/name@revision or a folder"),
    "roll_back": _("Back to {model}"),
    "no_model": _("no model"),
    "now": _("Being done"),
    "dismiss": _("All right"),
    "stop": _("Stop"),
    "yes": _("Yes, fetch it"),
    "waiting": _("Waits for you"),
    "whole_card": _("The whole card"),
    "passed": _("Passed"),
    "not_passed": _("Did not pass"),
    "promote": _("Make it live"),
    "force": _("Make it live all the same"),
    "why": _("Why? It is kept in the audit."),
    "shadow": _("Shadow 50"),
    "shadow_title": _("Answer the next 50 requests with it too, unseen, and compare"),
    "discard": _("Discard"),
    "history": _("What was swapped"),
    "nothing_swapped": _("Nothing was swapped yet."),
    "who": _("Who"),
    "when": _("When"),
    "what": _("What"),
    "outcome": _("Outcome"),
    "then_now": _("Then → now"),
    "forced_because": _("Forced: {reason}"),
    "quality": _("Quality ({metric})"),
    "ko": _("Korean"),
    "en": _("English"),
    "cases": _("{count} cases"),
    "speed": _("Time for an answer"),
    "half": _("half within"),
    "most": _("95 % within"),
    "load": _("Loads in"),
    "disk": _("On disk"),
    "licence": _("Licence"),
    "languages": _("Languages"),
    "room": _("Needs {need} of {budget}"),
    "evicts": _("makes room: {slot} is unloaded, its next answer takes {wait} longer"),
    "not_beside": _("does not fit beside the old one: questions wait while it is loaded"),
    "no_fit": _("does not fit"),
    "examples": _("Where they differ most"),
    "asked": _("Asked"),
    "old": _("Live now"),
    "new": _("New"),
    "shadowed": _("In shadow: {done} of {wanted} requests, {agreed} % agreement, {old} → {new}, failed: {failed}"),
    "lost": _("Connection lost. Trying again…"),
    "none_before": _("nothing"),
}

HEALTH: dict[str, Text] = {"ready": _("ready"), "idle": _("asleep, loads when asked"), "missing": _("not installed")}


def words(language: Language) -> dict[str, str]:
    """Return every word of the page in `language`; braces stay for the templates to fill."""
    return {name: text.to(language) for name, text in WORDS.items()}
