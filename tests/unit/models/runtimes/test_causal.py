from pathlib import Path

import pytest
from fakes import tiny_models

from bot.errors import ModelError
from bot.models.runtimes import causal
from bot.models.runtimes.causal import Chatter, fit, load
from bot.models.runtimes.thoughts import spoken
from bot.models.spec import LoadOptions, ModelSpec
from bot.models.tasks import ChatInput, ChatTurn

SPEC = ModelSpec("tiny", "chat", "causal", "folder")
SYSTEM = ChatTurn("system", "Be brief.")


@pytest.fixture(scope="module", autouse=True)
def exact() -> None:
    """Bfloat16 rounds a padded row otherwise than a bare one: what is compared is computed in float32."""
    import torch

    patch = pytest.MonkeyPatch()
    patch.setattr(causal, "quick_dtype", lambda: torch.float32)
    yield
    patch.undo()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, exact: None) -> Chatter:
    return load(SPEC, tiny_models.qwen(tmp_path_factory.mktemp("causal") / "qwen"), LoadOptions())


def _words(turns: tuple[ChatTurn, ...]) -> int:
    return sum(len(turn.text.split()) for turn in turns)


def test_conversations_of_unlike_length_are_answered_together_as_they_are_alone(model: Chatter) -> None:
    batch = [
        ChatInput((SYSTEM, ChatTurn("user", "Hello?")), max_tokens=12),
        ChatInput((ChatTurn("user", "안녕하세요, 오늘 회의는 몇 시예요?"),), max_tokens=20),
        ChatInput((ChatTurn("user", "a"),), max_tokens=1),
    ]
    together = model.predict(batch)
    assert together == [model.predict([item])[0] for item in batch]
    assert together == model.predict(batch)
    assert model.predict([]) == []


def test_an_answer_is_bounded_and_its_tokens_counted(model: Chatter) -> None:
    item = ChatInput((ChatTurn("user", "Hello?"),), max_tokens=5)
    answer = model.predict([item])[0]
    assert len(model._prompt(item)) < answer.tokens <= len(model._prompt(item)) + 5
    assert answer.bytes_sent_out == 0


def test_a_conversation_over_the_window_loses_its_oldest_turns(model: Chatter) -> None:
    talk = [ChatTurn("user" if number % 2 == 0 else "assistant", f"turn number {number} " * 3) for number in range(11)]
    prompt = model._tokenizer.decode(model._prompt(ChatInput((SYSTEM, *talk), max_tokens=32)))
    assert "Be brief." in prompt
    assert "number 10" in prompt
    assert "number 0 " not in prompt
    assert model.predict([ChatInput((SYSTEM, *talk), max_tokens=32)])[0].tokens <= 256


def test_a_last_turn_over_the_window_keeps_its_head_and_its_end(model: Chatter) -> None:
    prompt = model._tokenizer.decode(
        model._prompt(ChatInput((ChatTurn("user", "HEAD " + "middle " * 200 + "END"),), max_tokens=32))
    )
    assert "HEAD" in prompt
    assert "END" in prompt
    assert prompt.endswith("assistant\n")


def test_a_template_that_refuses_a_system_turn_gets_it_with_the_question(tmp_path: Path) -> None:
    gemma = load(SPEC, tiny_models.qwen(tmp_path / "gemma", chat_template=tiny_models.NO_SYSTEM), LoadOptions())
    prompt = gemma._tokenizer.decode(gemma._prompt(ChatInput((SYSTEM, ChatTurn("user", "Hello?")))))
    assert "user\nBe brief.\n\nHello?" in prompt
    assert "system" not in prompt


def test_a_model_without_a_template_is_given_plain_turns(tmp_path: Path) -> None:
    plain = load(SPEC, tiny_models.qwen(tmp_path / "plain", chat_template=""), LoadOptions())
    assert plain._tokenizer.decode(plain._prompt(ChatInput((ChatTurn("user", "Hi"),)))) == "user: Hi\nassistant:"


def test_a_closed_model_is_told_in_a_sentence(tmp_path: Path) -> None:
    closed = load(SPEC, tiny_models.qwen(tmp_path / "closed"), LoadOptions())
    closed.close()
    with pytest.raises(ModelError, match="unloaded"):
        closed.predict([ChatInput((ChatTurn("user", "Hi"),))])


def test_what_is_kept_begins_with_a_person() -> None:
    talk = (ChatTurn("user", "one two"), ChatTurn("assistant", "three"), ChatTurn("user", "four"))
    assert fit((SYSTEM, *talk), 100, _words) == (SYSTEM, *talk)
    assert fit((SYSTEM, *talk), 4, _words) == (SYSTEM, talk[2])


def test_thoughts_are_not_spoken() -> None:
    assert spoken("<think>\nhm\n</think>\n\nYes.") == "Yes."
    assert spoken("hm</think>Yes.") == "Yes."
    assert spoken("<think>cut off") == ""
    assert spoken("2 < 3") == "2 < 3"
