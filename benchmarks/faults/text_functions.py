"""What the bot does with a text of a stranger's, on the way in, to the models and on the way out: whole ways, and every function by itself.

Owns: the ways in and out (FUNCTIONS), and the functions of a text that a scan of the source finds (`scanned`). Leaves to
`benchmarks.faults.text_growth` how their time grows with the length.
"""

from __future__ import annotations

import ast
import importlib
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from benchmarks.faults.text_patterns import modules
from bot.channels.console_render import render as on_a_terminal
from bot.channels.incoming import clean_name, parse_command
from bot.channels.markdown import to_html
from bot.channels.telegram_outgoing import render as in_telegram
from bot.channels.web_render import Renderer
from bot.channels.web_transcript import Entry
from bot.forgetting import file_to_forget
from bot.house_words import asks_what_is_kept, speaks
from bot.intake import _OF_NO_LANGUAGE, clean
from bot.kept_talk import talk_of
from bot.language import detect, of_order
from bot.message import Address, Message, Reply, Source
from bot.models.heads import features as router
from bot.models.runtimes.minilm import readable
from bot.models.runtimes.thoughts import spoken
from bot.models.tasks import ChatTurn
from bot.retrieval import chunk, cues, parse_code, parse_mail, parse_text, parse_web, people
from bot.retrieval import spoken as talk
from bot.retrieval.document import Block, Document
from bot.text.query import looked_for
from bot.text.quote import quoted
from bot.text.sentences import split
from bot.text.words import normalise, terms
from skills.chat.courtesy import greeted, is_courtesy, returned
from skills.chat.skill import known_links_only
from skills.help.kept import asks_to_delete
from skills.imagine.skill import described
from skills.search import listing
from skills.search.said import plain
from skills.search.skill import LONGEST_QUESTION
from skills.summarise import choose, kept, order
from skills.summarise.named import meant
from skills.translate.ask import read, read_arguments
from skills.translate.layout import Layout
from skills.translate.origin import origin

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HERE = Address("web", "local", "me")


def message(text: str) -> Message:
    """Return `text` as a message of the page."""
    return Message(HERE, "me", "1", text, "en", NOON, command=parse_command(text))


def _reply(text: str) -> Reply:
    return Reply(text, "en", sources=(Source(text[:200], text, "https://example.org/", 0.5, (0, min(20, len(text)))),))


_RENDERER = Renderer()

FUNCTIONS: Mapping[str, Callable[[str], object]] = {
    "intake clean": clean,
    "intake language": lambda text: detect(text) or of_order(text),
    "intake of no language": lambda text: _OF_NO_LANGUAGE.sub("", text),
    "command": parse_command,
    "file name": clean_name,
    "router features": router.features,
    "router embeddable": router.embeddable,
    "embedder readable": readable,
    "claims": order.asks_only,
    "keeps": lambda text: talk_of(message(text)),
    "asks when": lambda text: talk.asks_when(text[:LONGEST_QUESTION]),
    "heard": lambda text: talk.heard(text[:LONGEST_QUESTION], now=NOON),
    "is question": talk.is_question,
    "cues": lambda text: cues.kinds("how much and when and why?", [text]),
    "cues asked": lambda text: cues.kinds(text[:LONGEST_QUESTION], ["a"]),
    "people": lambda text: people.named(text[:LONGEST_QUESTION], ["Ann Lee", "김민지"]),
    "search list": listing.asks_for_list,
    "file to forget": file_to_forget,
    "house speaks": speaks,
    "house kept": asks_what_is_kept,
    "help deletes": asks_to_delete,
    "summary means": lambda text: meant(text[: order.LONGEST_ORDER], ["plan b.md", "임대차계약서.pdf"]),
    "summary names": kept.names_in,
    "search query": lambda text: looked_for(text[:LONGEST_QUESTION]),
    "search quote": lambda text: quoted(text, (len(text) // 2, len(text) // 2 + 20)),
    "search said": plain,
    "terms": terms,
    "normalise": normalise,
    "sentences": split,
    "chunk text": lambda text: chunk.pieces(Document("text", "t", (Block("text", text),))),
    "chunk code": lambda text: chunk.pieces(Document("text", "t", (Block("code", text),))),
    "read plain": parse_text.read_plain,
    "read markdown": parse_text.read_markdown,
    "read csv": parse_text.read_csv,
    "read csv cell": lambda text: parse_text.read_csv(f'day,opens,note\nMon,9,"{text}a, b"\nTue,10,"two"\n'),
    "read json": parse_text.read_json,
    "read html": parse_web.read_html,
    "read code": parse_code.read_code,
    "read mail": lambda text: parse_mail.read_mail(b"Subject: x\n\n" + text.encode("utf-8", "replace")),
    "read mail head": lambda text: parse_mail.read_mail(text.encode("utf-8", "replace")),
    "summary order": lambda text: order.read_order(text, now=NOON),
    "summary command": lambda text: order.read_order(text, now=NOON, commanded=True),
    "summary tidy": lambda text: choose.tidy(text, alone=True),
    "translate ask": read,
    "translate arguments": read_arguments,
    "translate origin": origin,
    "translate layout": lambda text: Layout.of(text[:8000]),
    "chat links": lambda text: known_links_only(text, (ChatTurn("user", text),)),
    "courtesy is": is_courtesy,
    "courtesy returned": returned,
    "courtesy greeted": greeted,
    "chat thoughts": spoken,
    "imagine": described,
    "page markdown": to_html,
    "page reply": lambda text: _RENDERER.entry(Entry("1", _reply(text), NOON, "1")),
    "page message": lambda text: _RENDERER.entry(Entry("1", message(text), NOON, "1"), whole=True),
    "terminal": lambda text: on_a_terminal(_reply(text), colour=True, width=80),
    "pipe": lambda text: on_a_terminal(_reply(text)),
    "telegram": lambda text: in_telegram(_reply(text)),
}

FOREIGN = ("bot.channels", "bot.language", "bot.locale", "bot.models.heads", "bot.moment", "bot.retrieval", "bot.text", "skills")
"""Where functions work on what others wrote."""
TOUCHES = ("Path(", "path", "open(", "os.", "connect", "blob", "import_module", "write(", "unlink", "print(", "environ", "socket")
"""What the source of a function that touches more than its text holds."""
FILLED: Mapping[str, object] = {"int": 10, "bool": False, "float": 0.5, "Language": "en", "datetime": NOON, "str": "a"}
"""What stands for a function's other parameters, by their annotation."""
SHORT: Mapping[str, int] = {
    "bot.channels.rich_split._CLUSTER": 4_096,  # of one message
    "bot.models.heads.": 1_000,  # of the gist of a message
    "bot.models.verify_json._PART": 5_000,  # LONGEST_PATTERN
    "bot.text.words._parse": 500,  # a segment of a text
    "bot.text.blocks._UNDERLINE": 200,  # of the head of a line
    "skills.imagine.skill": 600,  # LONGEST_PROMPT
    "bot.text.query": 2_000,  # LONGEST_QUESTION
    "skills.summarise.order": 600,  # of the order before a text
    "skills.translate.": 500,  # LONGEST_REQUEST
}
"""What is only given short texts, and how long they are: it may take more than its length. The functions around it are timed at all lengths."""


def scanned() -> Iterator[tuple[str, Callable[[str], object]]]:
    """Yield every function of a module in FOREIGN whose first parameter is a text, its others filled."""
    for name, file in modules():
        if not name.startswith(FOREIGN) or name.endswith(("gate", "vectors", "weights")):
            continue
        for node in _functions(file):
            others = _others(node)
            if others is not None:
                yield f"{name}.{node.name}", partial(_called, name, node.name, others)


def _functions(file: Path) -> Iterator[ast.FunctionDef]:
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if not isinstance(node, ast.FunctionDef) or not node.args.args or any(word in ast.unparse(node) for word in TOUCHES):
            continue
        if ast.unparse(node.args.args[0].annotation or ast.Constant(0)) == "str":
            yield node


def _others(node: ast.FunctionDef) -> dict[str, object] | None:
    """Return what fills the parameters after the first that have no default; None where one cannot be filled."""
    needed = node.args.args[1 : len(node.args.args) - len(node.args.defaults)]
    needed += [arg for arg, default in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True) if default is None]
    kinds = {arg.arg: ast.unparse(arg.annotation or ast.Constant(0)) for arg in needed}
    return {arg: FILLED[kind] for arg, kind in kinds.items()} if all(kind in FILLED for kind in kinds.values()) else None


def _called(module: str, function: str, others: Mapping[str, object], text: str) -> object:
    done = getattr(importlib.import_module(module), function)(text, **others)
    return list(done) if hasattr(done, "__next__") else done
