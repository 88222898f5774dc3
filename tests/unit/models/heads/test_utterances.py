"""Reading and unfolding utterances.yaml, and that the project's own files are whole."""

from collections import Counter
from pathlib import Path

import pytest

from bot.errors import ModelError
from bot.models.heads.utterances import NONE, Source, Utterance, digest, read_utterances, sources, unfold

LABELS = {"search", "summarise", "caption", "ocr", "translate", "transcribe", "imagine", "chat", "help", NONE}


def source(tmp_path: Path, text: str) -> Source:
    file = tmp_path / "utterances.yaml"
    file.write_text(text, encoding="utf-8")
    return Source("shout", file)


def test_every_skill_has_fifty_lines_and_more_in_each_language() -> None:
    lines = Counter((utterance.label, utterance.language) for utterance in read_utterances())
    assert {label for label, _language in lines} >= LABELS
    assert all(lines[label, language] >= 150 for label in LABELS for language in ("ko", "en"))


def test_no_line_has_two_labels() -> None:
    labels: dict[str, set[str]] = {}
    for utterance in read_utterances():
        labels.setdefault(utterance.line.lower(), set()).add(utterance.label)
    assert [line for line, known in labels.items() if len(known) > 1] == []


def test_nothing_held_out_is_trained_on(heldout: list[tuple[str, str, str]]) -> None:
    trained = {example.text.lower().strip(" ?!.~") for example in unfold(read_utterances())}
    assert sum(text.lower().strip(" ?!.~") in trained for text, _label, _language in heldout) <= len(heldout) // 50


def test_a_list_and_a_block_of_lines_are_read_alike(tmp_path: Path) -> None:
    listed = read_utterances([source(tmp_path, "en: [say it louder, 'shout: hello']\nko: [더 크게 말해]\n")])
    block = read_utterances([source(tmp_path, "en: |\n  say it louder\n  shout: hello\nko: |\n  더 크게 말해\n")])
    assert listed == block
    assert [(one.line, one.label, one.language) for one in listed] == [
        ("더 크게 말해", "shout", "ko"), ("say it louder", "shout", "en"), ("shout: hello", "shout", "en"),
    ]  # fmt: skip


def test_choices_and_fillers_unfold_the_same_every_time(tmp_path: Path) -> None:
    text = "en: ['(shout|cry) {word} (loudly|)']\nfillers: {en: {word: [hello, fire]}}\n"
    examples = unfold(read_utterances([source(tmp_path, text)]))
    assert examples == unfold(read_utterances([source(tmp_path, text)]))
    assert {example.text for example in examples} <= {
        f"{verb} {word}{how}" for verb in ("shout", "cry") for word in ("hello", "fire") for how in ("", " loudly")
    }
    assert len({example.text for example in examples}) > 1
    assert {example.family for example in examples} == {0}


@pytest.mark.parametrize(("word", "told"), [("물", "물을"), ("차", "차를"), ("tea", "tea를")])
def test_a_particle_follows_what_fills_the_brace(word: str, told: str) -> None:
    (example,) = unfold([Utterance("{drink}를", "shout", "ko", {"drink": [word]})])
    assert example.text == told


def test_a_filler_that_nobody_brings_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="filler drink"):
        read_utterances([source(tmp_path, "en: ['bring {drink}']\n")])


@pytest.mark.parametrize("text", ["en: 7\n", "en: [{a: 1}]\n", "fillers: [a]\n", "fillers: {en: {word: []}}\n", "- a\n"])
def test_a_file_of_another_shape_is_told(tmp_path: Path, text: str) -> None:
    with pytest.raises(ModelError, match=r"utterances\.yaml"):
        read_utterances([source(tmp_path, text)])


def test_the_digest_changes_with_a_letter(tmp_path: Path) -> None:
    before = digest([source(tmp_path, "en: [say it louder]\n")])
    assert before == digest([source(tmp_path, "en: [say it louder]\n")])
    assert before != digest([source(tmp_path, "en: [say it Louder]\n")])


def test_the_hosts_own_label_comes_last() -> None:
    assert sources()[-1].label == NONE
