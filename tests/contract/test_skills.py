"""What every skill keeps, the project's own and those of strangers who list themselves: tested by being listed."""

import inspect
from collections import Counter
from importlib.metadata import EntryPoint, entry_points
from importlib.resources import files
from pathlib import Path

import pytest
import yaml

from bot.dispatch import Dispatcher
from bot.errors import ParingError
from bot.locale import LANGUAGES
from bot.message import Attachment, Reply
from bot.skill import Skill
from bot.testing import fake_kit, make_message, make_request

POINTS = sorted(entry_points(group="paring.skills"), key=lambda point: point.name)
LEAST_UTTERANCES = 50


@pytest.fixture(params=POINTS, ids=lambda point: point.name)
def point(request: pytest.FixtureRequest) -> EntryPoint:
    return request.param


@pytest.fixture
def skill(point: EntryPoint, tmp_path: Path) -> Skill:
    return point.load()(fake_kit(tmp_path))


def test_it_is_called_as_it_is_listed(skill: Skill, point: EntryPoint) -> None:
    assert skill.name == point.name


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_says_what_it_is_in_both_languages(skill: Skill, language: str) -> None:
    for text in (skill.title, skill.summary, *(spec.summary for spec in skill.commands)):
        said = text.to(language)
        assert said
        assert any("가" <= letter <= "힣" for letter in said) == (language == "ko"), said


def test_its_commands_are_short_lower_case_and_its_own(skill: Skill) -> None:
    assert skill.commands
    for spec in skill.commands:
        assert spec.name == spec.name.lower()
        assert spec.name.isascii(), "Telegram's menu takes Latin letters alone"
        assert 0 < len(spec.name) <= 32


def test_claiming_is_quick_and_needs_no_loop(skill: Skill) -> None:
    assert not inspect.iscoroutinefunction(skill.claims)
    for message in (
        make_message("hello"),
        make_message(""),
        make_message("", attachments=[Attachment("video", "v.mp4", "video/mp4", 1)]),
    ):
        assert isinstance(skill.claims(message), bool)


@pytest.mark.parametrize(
    "text", ["", "안녕", "hello there", "x" * 5000, "#Person1#: \ufffd\u202e <b>", "--count", "a" * 10 + "\n" * 50]
)
@pytest.mark.parametrize("language", LANGUAGES)
async def test_whatever_is_asked_it_answers_or_says_why_not_in_the_askers_language(
    skill: Skill, text: str, language: str
) -> None:
    command = skill.commands[0].name
    request = make_request(make_message(f"/{command} {text}".strip(), language=language))
    try:
        reply = await skill.answer(request)
    except ParingError as error:
        assert error.sentence(language)
    else:
        assert isinstance(reply, Reply)
        assert reply.text.strip()
        assert reply.language == language


def test_it_brings_utterances_in_both_languages(point: EntryPoint) -> None:
    package = point.value.partition(":")[0].rpartition(".")[0]
    utterances = yaml.safe_load(files(package).joinpath("utterances.yaml").read_text(encoding="utf-8"))
    for language in LANGUAGES:
        said = [line for line in utterances[language].splitlines() if line.strip()]
        assert len(set(said)) == len(said) >= LEAST_UTTERANCES


def test_no_two_skills_answer_to_one_command(tmp_path: Path) -> None:
    kit = fake_kit(tmp_path)
    skills = [point.load()(kit) for point in POINTS]
    names = Counter(name for skill in skills for spec in skill.commands for name in (spec.name, *spec.aliases))
    assert [name for name, count in names.items() if count > 1] == []
    Dispatcher(skills, None, text_bytes=1, keep_label=None)  # type: ignore[arg-type]


def test_the_commands_that_were_promised_are_there(tmp_path: Path) -> None:
    kit = fake_kit(tmp_path)
    names = {spec.name for point in POINTS for spec in point.load()(kit).commands}
    assert {"search", "sum", "caption", "ocr", "tr", "stt", "draw", "chat", "help", "start"} <= names
