r"""Every regular expression of the product, found in its source, and texts made of its own parts that would hold it up.

Owns: the scan of the source (a call of `re`, `regex` or `bot.lazy` anywhere, a pattern kept in any table of a module) and the attack. Leaves to
`benchmarks.faults.text_growth` how time is measured.

    found, unread = patterns()     # every pattern with where it stands; calls whose pattern is only known while it runs
    attacks(found[0].pattern)      # pieces to be repeated: "a", " \n", "](", ...
"""

from __future__ import annotations

import ast
import importlib
import random
import re
import re._constants as codes  # type: ignore[import-untyped]  # the parser's own names, which it shows to nobody else
import re._parser as parser  # type: ignore[import-untyped]
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from types import ModuleType

import regex

from bot import lazy

ROOT = Path(__file__).parents[2]
PARTS = ("bot", "skills")
HELD = frozenset({"match", "fullmatch"})
CALLS = frozenset({"compile", "search", "match", "fullmatch", "sub", "subn", "split", "findall", "finditer"})
COMPILES = {"compile": "re", "compile_regex": "regex"}
"""What compiles, and by which library where it is `bot.lazy`'s."""
ANYWHERE = ("a", "가", "1", " ", "\n", ".", "<", "[", "(", "*", "`", '"', "\u0301", "a ", "a.", "a@", "1,", "> ", "- ", "](", "<a", "<!--",
            "http://a", "a-", "ㄱ", "각", "\u200d", "\U0001f1f0", "&#", "\\")  # fmt: skip
MOST_PIECES = 30
MIXED = 20
DEPTH = 3
MOST_HELD = 500
"""Entries of a table that may hold patterns; longer ones hold words."""
BUILT = {
    "bot.channels.matrix_incoming": "names of people and of the bot, escaped",
    "bot.channels.telegram_addressing": "a bot's own name, escaped",
    "bot.channels.rich_split": "kept in a table",
    "bot.channels.text_channel": "names of commands and of the bot, escaped",
    "bot.logs_secrets": "secrets, escaped",
    "bot.retrieval.cues": "kept in a table",
    "bot.retrieval.spoken": "kept in a table",
    "skills.caption.gate": "a word of a gate's case, escaped",
    "skills.chat.gate": "a word of a gate's case, escaped",
    "skills.chat.skill": "kept in a table",
    "skills.translate.patterns": "kept in a table",
}
"""Modules that make a pattern of what is known only while they run, and why none of it is missed."""

AnyPattern = re.Pattern[str] | regex.Pattern[str]


@dataclass(frozen=True)
class Found:
    """A pattern and where it stands."""

    where: str
    pattern: AnyPattern
    anywhere: bool = True
    """Whether it is looked for at every place; False where it is only held to a beginning (`match`, `fullmatch`)."""

    def run(self, text: str) -> None:
        """Use it on `text` as the product does."""
        if self.anywhere:
            for _each in self.pattern.finditer(text):
                pass
        else:
            self.pattern.match(text)
            self.pattern.fullmatch(text)


def patterns() -> tuple[list[Found], list[str]]:
    """Return every pattern of the product, each once, and the calls whose pattern could not be found out."""
    known: dict[tuple[str, int], Found] = {}
    unread: list[str] = []
    for name, file in modules():
        source = file.read_text(encoding="utf-8")
        calls = list(_calls(ast.parse(source)))
        if not calls and name not in sys.modules:  # what has none of its own can only hold another module's
            continue
        module = importlib.import_module(name)
        for call in calls:
            where = f"{name}:{call.lineno}"
            try:
                one = _made(call, module)
            except NameError:
                unread += [] if name in BUILT else [where]
                continue
            if call.func.attr not in COMPILES:
                _keep(known, Found(where, one, call.func.attr not in HELD))
        for held, value in vars(module).items():
            used = set(re.findall(rf"\b{held}\.({'|'.join(CALLS)})\(", source))
            for one in _within(value):
                _keep(known, Found(f"{name}.{held}", one, not used or not used <= HELD))
    return [found for found in known.values() if isinstance(found.pattern.pattern, str)], unread


def _keep(known: dict[tuple[str, int], Found], found: Found) -> None:
    key = (str(found.pattern.pattern), found.pattern.flags)
    if key not in known or (found.anywhere and not known[key].anywhere):
        known[key] = found


def modules() -> Iterator[tuple[str, Path]]:
    """Yield the product's modules: name and file."""
    for part in PARTS:
        for file in sorted((ROOT / part).rglob("*.py")):
            name = ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            if not name.endswith("__main__"):
                yield name, file


def attacks(pattern: AnyPattern) -> list[str]:
    """Return pieces to be repeated: what the pattern is made of, alone and mixed, and what is hostile to most."""
    chance = random.Random(len(pattern.pattern))  # noqa: S311 - seeded cases
    try:
        own = sorted(_pieces(parser.parse(pattern.pattern, pattern.flags if isinstance(pattern, re.Pattern) else 0)))
    except (re.error, KeyError, ValueError):  # of the other module's syntax: what is hostile to most has to do
        own = []
    own = own if len(own) <= MOST_PIECES else chance.sample(own, MOST_PIECES)
    base = list(dict.fromkeys([*own, *ANYWHERE]))
    mixed = ("".join(chance.choices(base, k=chance.choice((2, 2, 3)))) for _each in range(MIXED))
    return list(dict.fromkeys([*base, *mixed]))


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="re" | "regex"), attr=attr)) if attr in CALLS:
                yield node
            case ast.Call(func=ast.Attribute(value=ast.Name(id="lazy"), attr=attr)) if attr in COMPILES:
                yield node


def _made(call: ast.Call, module: ModuleType) -> AnyPattern:
    """Return the pattern of a call, made as its module makes it. Raises NameError where that takes what is not there yet."""
    assert isinstance(call.func, ast.Attribute)
    assert isinstance(call.func.value, ast.Name)
    flags = [word.value for word in call.keywords if word.arg == "flags"]
    place = {"compile": 1, "compile_regex": 1, "split": 3, "sub": 4, "subn": 4}.get(call.func.attr, 2)
    flags += call.args[place : place + 1]
    made, flag = (eval(ast.unparse(node), vars(module)) for node in (call.args[0], flags[0] if flags else ast.Constant(0)))  # noqa: S307 - the product's own source
    named = COMPILES[call.func.attr] if call.func.value.id == "lazy" else call.func.value.id
    library = regex if named == "regex" else re
    return library.compile(made, flag) if isinstance(made, str | bytes) else made


def _within(value: object, depth: int = DEPTH) -> Iterator[AnyPattern]:
    if isinstance(value, lazy.Pattern):
        value = value.compiled()
    if isinstance(value, re.Pattern | regex.Pattern):
        yield value
    elif depth:
        for inner in _parts(value):
            yield from _within(inner, depth - 1)


def _parts(value: object) -> Iterable[object]:
    if isinstance(value, dict | list | tuple | set | frozenset) and len(value) > MOST_HELD:
        return ()
    if isinstance(value, dict):
        return [*value, *value.values()]
    if isinstance(value, list | tuple | set | frozenset):
        return value
    if is_dataclass(value) and not isinstance(value, type):
        return [getattr(value, each.name, None) for each in fields(value)]
    return ()


def _pieces(tree: Iterable[tuple[object, object]]) -> set[str]:
    """Return signs and words that a parsed pattern is made of."""
    found: set[str] = set()
    run = ""
    for code, value in tree:
        if code is codes.LITERAL:
            run += chr(value)  # type: ignore[arg-type]
            found.add(run[-1])
            continue
        found |= {run} - {""}
        run = ""
        if code is codes.IN:
            found |= _signs(value)  # type: ignore[arg-type]
        else:
            found |= {"a"} if code in (codes.ANY, codes.NOT_LITERAL) else set()
            for inner in _inner(value):
                found |= _pieces(inner)
    return found | ({run} - {""})


def _inner(value: object) -> Iterator[Iterable[tuple[object, object]]]:
    if isinstance(value, parser.SubPattern):
        yield value
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _inner(one)


def _signs(items: Iterable[tuple[object, object]]) -> set[str]:
    """Return some signs of a class in brackets."""
    kinds = {codes.CATEGORY_DIGIT: "1", codes.CATEGORY_SPACE: " \n", codes.CATEGORY_WORD: "a가_", codes.CATEGORY_NOT_SPACE: "a."}
    found: list[str] = []
    for code, value in items:
        if code is codes.LITERAL:
            found.append(chr(value))  # type: ignore[arg-type]
        elif code is codes.RANGE:
            found += [chr(value[0]), chr(value[1])]  # type: ignore[index]
        elif code is codes.CATEGORY:
            found += kinds.get(value, "a ")
        elif code is codes.NEGATE:
            return {"a", "가", "1", " ", "."}
    return set(found[:6])
