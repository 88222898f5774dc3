"""Every sentence that the code can say is said in Korean too, with the same things in its braces."""

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from bot.channels.rich_text import parse
from bot.locale import Language, Marked, Text, catalogue, phrases

ROOT = Path(__file__).parents[2]
FOLDERS = sorted({path.parent for part in ("bot", "skills") for path in (ROOT / part).rglob("*.py")})
FEW_WORDS = 3
"""A sign, a unit or a link to the other language may be the same in both."""
_ = phrases(__file__)


def sentences(folder: Path) -> Iterator[tuple[str, str]]:
    for file in sorted(folder.glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "_" and node.args:
                first = node.args[0]
                yield from ((file.name, one) for one in literals(first))


def literals(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from literals(node.body)
        yield from literals(node.orelse)


def fields(sentence: str) -> set[str]:
    return {name for _literal, name, _spec, _conversion in string.Formatter().parse(sentence) if name is not None}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(ROOT)))
def test_every_sentence_has_its_korean(folder: Path) -> None:
    said = {sentence: file for file, sentence in sentences(folder)}
    if not said:
        return
    catalogue = folder / "ko.po"
    assert catalogue.is_file(), f"{folder} says {len(said)} sentences and has no ko.po"
    with catalogue.open("rb") as handle:
        korean = {message.id: message.string for message in read_po(handle, locale="ko")}
    for sentence, file in said.items():
        assert korean.get(sentence), f"{file}: no Korean for {sentence!r}"
        assert fields(korean[sentence]) == fields(sentence), f"{file}: other braces in the Korean of {sentence!r}"
        if len(re.sub(r"{\w*}", "", sentence).split()) > FEW_WORDS:
            assert re.search("[가-힣]", korean[sentence]), f"{file}: no Hangul in the Korean of {sentence!r}"


CATALOGUES = sorted(file for part in ("bot", "skills") for file in (ROOT / part).rglob("ko.po"))


@pytest.mark.parametrize("file", CATALOGUES, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_catalogue_is_read_as_gettext_reads_it(file: Path) -> None:
    with file.open("rb") as handle:
        whole = {str(message.id): str(message.string) for message in read_po(handle, locale="ko") if message.id}
    assert catalogue(file.parent, "ko") == {msgid: msgstr for msgid, msgstr in whole.items() if msgstr}


def test_a_catalogue_may_have_comments_escapes_and_parts(tmp_path: Path) -> None:
    (tmp_path / "ko.po").write_text(
        'msgid ""\nmsgstr "Language: ko"\n\n# he said "so"\n#, fuzzy "x"\nmsgid "one "\n"two\\n\\"three\\""\nmsgstr ""\n"하나 "\n"둘"\n\n'
        'msgid "not yet"\nmsgstr ""\n', encoding="utf-8",
    )  # fmt: skip
    assert catalogue(tmp_path, "ko") == {'one two\n"three"': "하나 둘"}


def test_a_text_without_korean_is_said_in_english() -> None:
    assert _("I read {count} pages.", count=3).to("ko") == "I read 3 pages."


def test_a_text_within_a_text_is_said_in_the_same_language() -> None:
    inner = Text("Nothing was kept.")
    assert _("{what} Try again.", what=inner).to("en") == "Nothing was kept. Try again."


@pytest.mark.parametrize("language", ["en", "ko"])
def test_what_fills_a_brace_is_shown_as_it_stands(language: Language) -> None:
    said = Text("**{name}** is not `{name}` ({count}).", (("name", "[a](https://x.example) `b` *c*"), ("count", 2)))
    assert said.markdown(language) == r"**\[a\](https://x.example) \`b\` \*c\*** is not `[a](https://x.example) 'b' *c*` (2)."
    rich = parse(said.markdown(language))
    assert rich.text == "[a](https://x.example) `b` *c* is not [a](https://x.example) 'b' *c* (2)."
    assert {span.kind for span in rich.spans} == {"bold", "code"}


def test_markdown_of_our_own_and_texts_within_stay_markdown() -> None:
    said = Text("{pieces}: {why}", (("pieces", Marked("`x`")), ("why", Text("**no** {name}", (("name", "*"),)))))
    assert said.markdown("en") == r"`x`: **no** \*"


def test_a_name_turns_the_writing_of_nothing_behind_it() -> None:
    said = Text("{name} was kept.", (("name", "\u202egnp.exe"),))
    assert said.to("en") == said.markdown("en") == "gnp.exe was kept."
    assert Text("{name} 7", (("name", "שלום"),)).to("en") == "\u2068שלום\u2069 7"
