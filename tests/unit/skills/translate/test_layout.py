import pytest

from skills.translate.layout import Layout

TEXT = """# Plan

1. First item. Second sentence!
   - [ ] see https://example.org/a

> quoted words

```python
print("not words")
```
A long line of a paragraph that a page's margin broke in its very
middle. It ends here."""


def test_lists_quotes_code_and_blank_lines_keep_their_places() -> None:
    layout = Layout.of(TEXT)
    shouted = layout.filled([sentence.upper() for sentence in layout.sentences], target="en")
    assert shouted.splitlines() == [
        "# PLAN",
        "",
        "1. FIRST ITEM. SECOND SENTENCE!",
        "   - [ ] SEE HTTPS://EXAMPLE.ORG/A https://example.org/a",
        "",
        "> QUOTED WORDS",
        "",
        "```python",
        'print("not words")',
        "```",
        "A LONG LINE OF A PARAGRAPH THAT A PAGE'S MARGIN BROKE IN ITS VERY MIDDLE. IT ENDS HERE.",
    ]


def test_what_has_no_words_is_not_translated() -> None:
    assert Layout.of("https://example.org\n42\n\n@minji\n`code`\n한 줄").sentences == ("한 줄",)


def test_an_unbroken_text_comes_back_as_it_was() -> None:
    for text in ("One line.", "하나.\n둘.\n\n셋.", "- a\n- b", "```\nx\n```\ny"):
        layout = Layout.of(text)
        assert layout.filled(layout.sentences, target="en") == text


def test_languages_without_spaces_get_none_between_sentences() -> None:
    assert Layout.of("One. Two.").filled(["一。", "二。"], target="ja") == "一。二。"
    assert Layout.of("One. Two.").filled(["하나.", "둘."], target="ko") == "하나. 둘."


def test_a_fence_that_is_never_closed_is_code_to_the_end() -> None:
    assert Layout.of("```\na\nb").sentences == ()


def test_a_wrong_number_of_translations_is_refused() -> None:
    with pytest.raises(ValueError, match="expected 2"):
        Layout.of("One. Two.").filled(["x"], target="en")
