"""Trains bot/models/reader-v1.safetensors: MiniLM taught to read a passage beside a question, and to tell whether and where it answers.

    python -m benchmarks.train_reader DATA --cache /tmp/reader [--stage 1] [--out FILE]
    python -m benchmarks.train_reader DATA --cache /tmp/reader --check [--out FILE]

What it is taught with and measured with, `benchmarks/reader_questions.py` says. MiniLM's own weights stay as they are; learnt are a product
of two thin matrices beside each of them (LoRA, Hu et al. 2021), what is said of each word's side and match (`bot.models.runtimes.pages`),
and two outputs. There are three stages, each of which goes on from where the one before has left FILE:

1. each question beside a passage that answers it and beside wrong ones that the search puts next, twice (seventy minutes on two cores);
2. those once more beside other wrong passages, and beside the right one less the sentence that answers (thirty minutes);
3. the questions that were written later in all these ways, and some of the others again (fifty minutes). What is written then is the mean of
   what stages 1 and 3 have learnt: it keeps what the first knows of the public sets' ways to ask, and marks as well as the last.

`--check` trains nothing and measures the file on questions that it was not taught with.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from benchmarks.reader_questions import MOST, Case, Pair, beside, found_of, found_of_written, right_of, without_of, wrong_of
from benchmarks.train_hangul_inputs import bert_of, normed
from bot.config import Settings, install_models
from bot.language import detect
from bot.models.gates.golden import has_hangul
from bot.models.prepare import prepared_minilm
from bot.models.runtimes import minilm
from bot.models.runtimes.hangul import table_of
from bot.models.runtimes.hangul_inputs import Inputs, Learnt
from bot.models.runtimes.pages import KINDS, Page, Pages
from bot.models.spec import LoadOptions, ModelSpec
from bot.text.lexicon import packaged

if TYPE_CHECKING:
    from transformers import BertModel

MODELS = Path(__file__).parents[1] / "bot" / "models"
TARGET, HANGUL = MODELS / "reader-v1.safetensors", MODELS / "hangul-v3.safetensors"
RANK = 16
"""Columns of the thin matrices; twice as many where three of MiniLM's are taken together."""
BATCH, NEIGHBOURS = 32, 20
RATES = {1: 1e-3, 2: 6e-4, 3: 6e-4}
"""Of each stage; it rises over WARM steps and falls to LAST of it."""
WARM, LAST = 60, 0.02
AGAIN = 0.5
"""The share of questions whose right passage is learnt once more in stage 2, and in the second round of stage 3."""
REPLAYED = 0.12
"""Of the questions of stage 1, the share that stands in each round of stage 3."""
MARKED = 0.3
"""What the sentence that answers counts beside whether there is one."""
FIRST = "reader-stage-1.safetensors"
SAMPLE = 600
"""Questions that are measured with as it goes; `--check` asks all."""
TOLD = 0.8
"""Of questions without an answer that many are told so, where it is counted how many of the others are answered."""
HALF = torch.bfloat16

Array = NDArray[np.float32]


class Thin(torch.nn.Module):
    """Matrices of MiniLM's side by side, which stay as they are, and a product of two thin ones that is learnt."""

    def __init__(self, those: Sequence[torch.nn.Linear], rank: int) -> None:
        super().__init__()
        weight = torch.cat([one.weight.data for one in those]).to(HALF)
        self.register_buffer("weight", weight, persistent=False)
        self.register_buffer("bias", torch.cat([one.bias.data for one in those]).to(HALF), persistent=False)
        self.down = torch.nn.Parameter(torch.randn(weight.shape[1], rank) / math.sqrt(weight.shape[1]))
        self.up = torch.nn.Parameter(torch.zeros(rank, weight.shape[0]))

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Return the product of both."""
        whole = torch.nn.functional.linear(rows, self.weight, self.bias)  # type: ignore[arg-type]  # torch knows no kinds of its parts
        return whole + (rows @ self.down) @ self.up


class Layer(torch.nn.Module):
    """One of MiniLM's layers. By hand, since torch's own attention is slower to learn through, at heads of 32 numbers on processors."""

    def __init__(self, layer: torch.nn.Module) -> None:
        super().__init__()
        own, out = layer.attention.self, layer.attention.output  # type: ignore[union-attr]
        self.seen = Thin([own.query, own.key, own.value], 2 * RANK)  # type: ignore[union-attr, list-item]
        self.out = Thin([out.dense], RANK)  # type: ignore[union-attr, list-item]
        self.inner = Thin([layer.intermediate.dense], RANK)  # type: ignore[union-attr, list-item]
        self.outer = Thin([layer.output.dense], RANK)  # type: ignore[union-attr, list-item]
        self._norms = [out.LayerNorm, layer.output.LayerNorm]  # type: ignore[union-attr]  # in a list: not learnt

    def forward(self, at: torch.Tensor, unseen: torch.Tensor) -> torch.Tensor:
        """Return bfloat16 (n, t, 384); `unseen` is added to what is looked at."""
        count, width, size = at.shape
        query, key, value = self.seen(at).view(count, width, 3, size // 32, 32).permute(2, 0, 3, 1, 4)
        shares = torch.softmax((query / math.sqrt(32)) @ key.transpose(-1, -2) + unseen, -1).to(HALF)
        at = normed(self._norms[0], self.out((shares @ value).transpose(1, 2).reshape(at.shape)) + at)
        return normed(self._norms[1], self.outer(torch.nn.functional.gelu(self.inner(at))) + at)


class Net(torch.nn.Module):
    """MiniLM with what is learnt beside it."""

    def __init__(self, bert: BertModel) -> None:
        super().__init__()
        self._bert = [bert.requires_grad_(requires_grad=False)]
        self.layers = torch.nn.ModuleList(Layer(layer) for layer in bert.encoder.layer)
        self.sides = torch.nn.Parameter(torch.zeros(2, 384))
        self.matches = torch.nn.Parameter(torch.zeros(KINDS, 384))
        self.answers = torch.nn.Parameter(torch.randn(384, 2) / math.sqrt(384))
        self.bias = torch.nn.Parameter(torch.zeros(2))

    def forward(self, pages: Sequence[Page]) -> torch.Tensor:
        """Return float32 (n, t, 2): of the first row the odds that the passage answers, of each how much it is of what does."""
        width = max(len(page.rows) for page in pages)
        rows = np.zeros((len(pages), width, 384), np.float32)
        sides, matches = np.zeros((len(pages), width), np.int64), np.zeros((len(pages), width), np.int64)
        shown = np.zeros((len(pages), width), bool)
        for at, page in enumerate(pages):
            rows[at, : len(page.rows)], shown[at, : len(page.rows)] = page.rows, True
            sides[at, : len(page.rows)], matches[at, : len(page.rows)] = page.sides, page.matches
        said = torch.from_numpy(rows) + self.sides[torch.from_numpy(sides)] + self.matches[torch.from_numpy(matches)]
        first = self._bert[0].embeddings
        said = said + first.position_embeddings.weight[:width] + first.token_type_embeddings.weight[0]
        norm = first.LayerNorm
        at_first = torch.nn.functional.layer_norm(said, (384,), norm.weight, norm.bias, 1e-12).to(HALF)
        unseen = torch.zeros(shown.shape, dtype=HALF).masked_fill(~torch.from_numpy(shown), -1e4)[:, None, None, :]
        with torch.autocast("cpu", HALF):
            for layer in self.layers:
                at_first = layer(at_first, unseen)
        return at_first.float() @ self.answers + self.bias


class Taught(NamedTuple):
    """A page as it is learnt."""

    page: Page
    right: bool
    sentence: int


class Said(NamedTuple):
    """What is said of a page: the odds, and of each of its sentences float32 (sentences,)."""

    odds: torch.Tensor
    sentences: torch.Tensor


def said_of(numbers: torch.Tensor, page: Page) -> Said:
    """Return what the net's float32 (t, 2) say of a page."""
    marks, places = numbers[: len(page.rows), 1], torch.from_numpy(page.sentences)
    count = int(page.sentences.max(initial=-1)) + 1
    held = torch.nn.functional.one_hot(places.clamp(min=0), max(count, 1)).float() * (places >= 0)[:, None]
    return Said(numbers[0, 0], (marks @ held) / held.sum(0).clamp(min=1))


def rounds_of(stage: int, cases: Sequence[Case], written: Sequence[Case]) -> list[list[Pair]]:
    """Return what is learnt in each round of a stage."""
    if stage == 1:
        return [_some(right_of(case) for case in cases) + _some(wrong_of(case, place) for case in cases) for place in (1, 2)]
    if stage == 2:
        again = [case for case in cases if random.random() < AGAIN]  # noqa: S311 - a sample
        others = [wrong_of(case, 3) for case in cases] + [without_of(case) for case in cases]
        return [_some(right_of(case) for case in again) + _some(others)]
    rounds = []
    for place, share in ((1, 1.0), (2, AGAIN)):
        asked = [case for case in written if random.random() < share]  # noqa: S311
        asked += [case for case in cases if random.random() < REPLAYED]  # noqa: S311
        rounds.append(
            _some(right_of(case) for case in asked)
            + _some(wrong_of(case, place) for case in asked)
            + _some(without_of(case) for at, case in enumerate(written) if at % 2 == place - 1)
        )
    return rounds


def _some(pairs: Iterable[Pair | None]) -> list[Pair]:
    return [pair for pair in pairs if pair is not None]


def train(net: Net, rounds: Sequence[Sequence[Taught]], rate: float, told: Callable[[], None]) -> None:
    """Learn."""
    plan = [some for taught in rounds for some in _planned(taught)]
    optimiser = torch.optim.AdamW(net.parameters(), lr=rate, weight_decay=0.01)
    lost, begun = 0.0, time.monotonic()
    for step, some in enumerate(plan):
        for group in optimiser.param_groups:
            group["lr"] = rate * min(1.0, (step + 1) / WARM) * max(LAST, 1 - step / len(plan))
        loss = _loss(net, some)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        lost += float(loss.detach())
        if step % 100 == 99:
            print(f"{step + 1} of {len(plan)}: loss {lost / 100:.3f}, {time.monotonic() - begun:.0f} s", flush=True)
            lost = 0.0
        if step % 1000 == 999:
            told()


def _planned(taught: Sequence[Taught]) -> Iterator[list[Taught]]:
    """Yield batches of pages of about one length, in a random order."""
    some = list(taught)
    random.shuffle(some)
    for start in range(0, len(some), BATCH * NEIGHBOURS):
        near = sorted(some[start : start + BATCH * NEIGHBOURS], key=lambda one: len(one.page.rows))
        batches = [near[at : at + BATCH] for at in range(0, len(near), BATCH)]
        random.shuffle(batches)
        yield from batches


def _loss(net: Net, some: Sequence[Taught]) -> torch.Tensor:
    numbers = net([one.page for one in some])
    said = [said_of(rows, one.page) for rows, one in zip(numbers, some, strict=True)]
    right = torch.tensor([float(one.right) for one in some])
    loss = torch.nn.functional.binary_cross_entropy_with_logits(torch.stack([one.odds for one in said]), right)
    marked = [
        torch.nn.functional.cross_entropy(told.sentences[None], torch.tensor([one.sentence]))
        for told, one in zip(said, some, strict=True)
        if 0 <= one.sentence < len(told.sentences)
    ]
    return loss + MARKED * torch.stack(marked).sum() * 2 / BATCH if marked else loss


def tensors_of(net: Net) -> dict[str, NDArray[np.generic]]:
    """Return what was learnt, as the program reads it."""
    return {name: value.detach().numpy().astype(np.float16) for name, value in net.state_dict().items()}


@dataclass
class Counted:
    """What the reader says of the questions of a library that it was not taught with."""

    right: list[float]
    """Odds of right passages that the search put first."""
    away: list[float]
    """Of the best wrong ones, of questions with an answer."""
    none: list[float]
    """Of what was put first where nothing answers."""
    counts: Counter[str]


def checked(net: Net, pages: Pages, cases: Sequence[Case]) -> None:
    """Print what the reader tells apart, by library and languages."""
    kinds: dict[str, Counted] = {}
    for case in cases:
        if not case.found:
            continue
        first = case.found[0]
        spoken = detect(case.question) if has_hangul(case.question) == has_hangul(first.text) else "across"
        library = case.library if "-open-" in case.library else "teams"
        counted = kinds.setdefault(f"{library} {spoken}", Counted([], [], [], Counter()))
        _count(counted, case, _read(net, [pages.of(beside(case.question, one)) for one in case.found[:MOST]]))
    for kind, one in sorted(kinds.items()):
        lines = [f"{kind:26}"]
        for name, wrong in (("away", one.away), ("none", one.none)):
            if min(len(one.right), len(wrong)) > 10:
                bound = np.quantile(wrong, TOLD)
                answered = np.mean(np.array(one.right) > bound)
                lines.append(f"{name}: {_area(one.right, wrong):.3f} of {len(one.right)}/{len(wrong)}, answered {answered:.2f}")
        counts = one.counts
        lines.append(f"first {counts['first']} -> {counts['first by reader']} of {counts['asked']}")
        lines.append(f"marked {counts['marked']} of {counts['markable']}")
        print("; ".join(lines), flush=True)


def _count(counted: Counted, case: Case, said: Sequence[Said]) -> None:
    odds = [float(one.odds) for one in said]
    if not case.there:
        counted.none.append(odds[0])
        return
    wrong = [number for number, one in zip(odds, case.found, strict=False) if not one.right]
    counted.away += wrong[:1]
    counted.counts["asked"] += 1
    counted.counts["first"] += case.found[0].right
    counted.counts["first by reader"] += case.found[int(np.argmax(odds))].right
    if case.found[0].right:
        counted.right.append(odds[0])
        pair = right_of(case)
        if case.answer and pair is not None and pair.sentence >= 0 and case.answer in case.found[0].text:
            counted.counts["markable"] += 1
            counted.counts["marked"] += int(said[0].sentences.argmax()) == pair.sentence


def _read(net: Net, pages: Sequence[Page]) -> list[Said]:
    with torch.inference_mode():
        return [said_of(rows, page) for rows, page in zip(net(pages), pages, strict=True)]


def _area(right: Sequence[float], wrong: Sequence[float]) -> float:
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score([1] * len(right) + [0] * len(wrong), [*right, *wrong]))


def main() -> None:
    """Train, write and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="A folder with retrieval/NAME/ in BEIR layout.")
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--check", action="store_true", help="Train nothing: measure the file.")
    parser.add_argument("--stage", type=int, choices=sorted(RATES), help="Only this one; it goes on from the file.")
    parser.add_argument("--out", type=Path, default=TARGET)
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    random.seed(0)
    torch.manual_seed(0)
    cases = asyncio.run(found_of(options.data, options.cache, Settings(home=options.cache)))
    pages = pages_of()
    net = Net(bert_of())
    others = [case for case in cases if not case.taught]
    if options.check:
        _read_into(net, options.out)
        checked(net, pages, others)
        return
    some = random.sample(others, min(len(others), SAMPLE))
    taught = [case for case in cases if case.taught]
    written = (
        asyncio.run(found_of_written(options.data, options.cache, Settings(home=options.cache)))
        if options.stage in (None, 3)
        else []
    )
    for stage in [options.stage] if options.stage else sorted(RATES):
        if stage > 1:
            _read_into(net, options.out)

        def told() -> None:
            save_file(tensors_of(net), options.out)
            checked(net, pages, some)

        rounds = rounds_of(stage, taught, written)
        print(f"stage {stage}: {sum(map(len, rounds))} pages", flush=True)
        train(net, _taught(pages, rounds), RATES[stage], told)
        if stage == 1:
            save_file(tensors_of(net), options.cache / FIRST)
        if stage == max(RATES):
            net.load_state_dict(mean_of([tensors_of(net), load_file(options.cache / FIRST)]))
        told()


def _read_into(net: Net, file: Path) -> None:
    net.load_state_dict(mean_of([load_file(file)]))


def mean_of(learnt: Sequence[Mapping[str, NDArray[np.generic]]]) -> dict[str, torch.Tensor]:
    """Return the mean of what was learnt from one beginning, in float32 (Wortsman et al. 2022)."""
    return {name: torch.from_numpy(np.mean([one[name].astype(np.float32) for one in learnt], axis=0)) for name in learnt[0]}


def pages_of() -> Pages:
    """Return what makes pages, as the program does."""
    spec = ModelSpec("embed.minilm.v1", "embed", "minilm", "package")
    english = minilm.load(spec, prepared_minilm(install_models()), LoadOptions())
    if english.body is None:
        raise SystemExit("MiniLM's body is missing")
    tensors: Mapping[str, NDArray[np.generic]] = load_file(HANGUL)
    return Pages(Inputs(table_of(tensors), Learnt.read(tensors), english.body.words, english.tokenizer), packaged())


def _taught(pages: Pages, rounds: Sequence[Sequence[Pair]]) -> list[list[Taught]]:
    """Return the rounds as pages; what stands in two of them is one page."""
    made: dict[Pair, Taught] = {}
    for pair in dict.fromkeys(pair for one in rounds for pair in one):
        page = pages.of(pair.asked)
        small = page._replace(rows=page.rows.astype(np.float16))  # type: ignore[arg-type]  # half the memory
        made[pair] = Taught(small, pair.right, pair.sentence)
    return [[made[pair] for pair in one] for one in rounds]


if __name__ == "__main__":
    main()
