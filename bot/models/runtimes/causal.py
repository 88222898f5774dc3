"""Small instruct models of transformers (Qwen, Gemma, Phi, Llama and kin): a conversation in, the next turn out.

Owns: the chat template, what of a conversation fits into the window, greedy generation without loops. Leaves to the
skill what is said. Conversations that are asked together are generated together, padded on the left.

    model = load(spec, folder, LoadOptions(threads=2))
    model.predict([ChatInput((ChatTurn("user", "안녕"),))])
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from bot.models.runtimes.pytorch import (
    SAFE,
    SAFE_TOKENIZER,
    available,
    begin,
    by_length,
    computing,
    quick_dtype,
    reading,
    settled,
    unloaded,
    use_threads,
)
from bot.models.runtimes.thoughts import spoken
from bot.models.spec import LoadOptions, ModelSpec
from bot.models.tasks import ChatInput, ChatOutput, ChatTurn

__all__ = ["Chatter", "available", "fit", "load"]

BATCH_ROWS: Final = 4
BATCH_CELLS: Final = 8192
MAX_WINDOW: Final = 4096
"""Longest conversation, also where the model would take more: on a processor the prompt is what one waits for."""
REPETITION_PENALTY: Final = 1.05
LOOP_NGRAM: Final = 16
"""No sixteen tokens twice: stops a loop, lets code and lists repeat their forms."""
SHORTEST_ANSWER: Final = 16


def load(spec: ModelSpec, folder: Path, options: LoadOptions) -> Chatter:
    """Return the model, in bfloat16 where the processor multiplies it.

    Raises:
        UnsafeModelError: no safetensors.
        ModelError: files are missing or broken.
    """
    begin(folder, options, spec=spec)
    from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: PLC0415 - heavy, and only in runtimes over it

    with reading(spec, folder):
        tokenizer = AutoTokenizer.from_pretrained(folder, **SAFE_TOKENIZER)
        model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=quick_dtype(), **SAFE)
        model.eval()
    return Chatter(spec.name, tokenizer, model, threads=options.threads)


class Chatter:
    """One loaded instruct model."""

    batch_rows = BATCH_ROWS

    def __init__(self, name: str, tokenizer: Any, model: Any, *, threads: int) -> None:
        """Keep the model; a tokenizer without a padding token pads with its end of text, which the mask hides."""
        self._name = name
        self._tokenizer = tokenizer
        self._model = model
        self._threads = threads
        self._window = min(MAX_WINDOW, int(getattr(model.config.get_text_config(), "max_position_embeddings", MAX_WINDOW)))
        tokenizer.padding_side = "left"
        if tokenizer.pad_token_id is None:
            tokenizer.pad_token = tokenizer.eos_token

    def predict(self, batch: Sequence[ChatInput]) -> list[ChatOutput]:
        """Return the next turns in order; `tokens` counts the prompt and the answer. Old turns give way to the window.

        Raises:
            ModelError: the model failed, or was closed.
        """
        if self._model is None:
            raise unloaded(self._name)
        with computing(self._name):
            prompts = [self._prompt(item) for item in batch]
        answers: list[ChatOutput] = [ChatOutput("", 0)] * len(batch)
        for rows in by_length([len(ids) for ids in prompts], rows=BATCH_ROWS, cells=BATCH_CELLS):
            for row, ids in zip(
                rows, self._generate([prompts[row] for row in rows], [batch[row].max_tokens for row in rows]), strict=True
            ):
                text = str(self._tokenizer.decode(ids, skip_special_tokens=True))
                answers[row] = ChatOutput(spoken(text), len(prompts[row]) + len(ids))
        return answers

    def close(self) -> None:
        """Release the weights."""
        self._model = None

    def _prompt(self, item: ChatInput) -> list[int]:
        room = self._window - min(max(item.max_tokens, SHORTEST_ANSWER), self._window // 2)
        turns = fit(item.turns, room, lambda turns: len(self._ids(turns)))
        return self._ids(turns)[-room:]

    def _ids(self, turns: Sequence[ChatTurn]) -> list[int]:
        if not self._tokenizer.chat_template:
            text = "\n".join(f"{turn.role}: {turn.text}" for turn in turns) + "\nassistant:"
            return list(self._tokenizer(text, verbose=False)["input_ids"])
        from jinja2 import TemplateError  # noqa: PLC0415 - comes with transformers' chat templates

        try:
            return self._templated(turns)
        except TemplateError:  # Gemma's template refuses a system turn, Mistral's two of one side in a row
            return self._templated(_alternating(turns))

    def _templated(self, turns: Sequence[ChatTurn]) -> list[int]:
        said = [{"role": turn.role, "content": turn.text} for turn in turns]
        text = self._tokenizer.apply_chat_template(said, add_generation_prompt=True, tokenize=False, enable_thinking=False)
        return list(self._tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])

    def _generate(self, prompts: Sequence[list[int]], limits: Sequence[int]) -> list[list[int]]:
        import torch  # noqa: PLC0415 - already loaded

        use_threads(self._threads)
        inputs = self._tokenizer.pad({"input_ids": list(prompts)}, return_tensors="pt")
        width = int(inputs["input_ids"].shape[1])
        config = settled(
            self._model.generation_config,
            max_new_tokens=max(1, min(max(limits), self._window - width)),
            num_beams=1,
            repetition_penalty=REPETITION_PENALTY,
            no_repeat_ngram_size=LOOP_NGRAM,
            pad_token_id=self._tokenizer.pad_token_id,
        )
        with computing(self._name), torch.inference_mode():
            produced = self._model.generate(
                input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"], generation_config=config
            )
        ends = config.eos_token_id if isinstance(config.eos_token_id, list) else [config.eos_token_id]
        return [_until(ids[width:].tolist(), ends)[:limit] for ids, limit in zip(produced, limits, strict=True)]


def fit(turns: Sequence[ChatTurn], room: int, count: Callable[[Sequence[ChatTurn]], int]) -> tuple[ChatTurn, ...]:
    """Return the system turns and as many of the last others as `count` says fit into `room`; the last is cut if it must be.

    Args:
        turns: a conversation, oldest first.
        room: tokens.
        count: tokens of a conversation.
    """
    system = tuple(turn for turn in turns if turn.role == "system")
    talk = [turn for turn in turns if turn.role != "system"]
    while len(talk) > 1 and count((*system, *talk)) > room:
        talk.pop(0)
    while talk and talk[0].role == "assistant" and len(talk) > 1:
        talk.pop(0)
    while talk and len(talk[-1].text) > 1 and count((*system, *talk)) > room:
        text = talk[-1].text
        talk[-1] = replace(talk[-1], text=_without_middle(text))
    return (*system, *talk)


def _without_middle(text: str) -> str:
    """Return three quarters of `text`: an instruction stands at its head or its end."""
    kept = max(1, len(text) * 3 // 8)
    return f"{text[:kept].rstrip('…').rstrip()}…{text[-kept:].lstrip('…').lstrip()}" if len(text) > 8 else text[: len(text) // 2]  # noqa: PLR2004


def _alternating(turns: Sequence[ChatTurn]) -> list[ChatTurn]:
    """Return the turns with system ones joined to the next, and two of one side in a row made one."""
    joined: list[ChatTurn] = []
    for turn in turns:
        role = "user" if turn.role == "system" else turn.role
        if joined and joined[-1].role == role:
            joined[-1] = ChatTurn(role, f"{joined[-1].text}\n\n{turn.text}")
        else:
            joined.append(ChatTurn(role, turn.text))
    return joined


def _until(ids: list[int], ends: Sequence[int | None]) -> list[int]:
    return next((ids[:at] for at, token in enumerate(ids) if token in ends), ids)
