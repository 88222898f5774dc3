"""Trains bot/models/reader-v1.safetensors: MiniLM taught to read a passage beside a question, and to tell whether and where it answers.

    python -m benchmarks.train_reader DATA --cache /tmp/reader [--stage 1] [--out FILE]
    python -m benchmarks.train_reader DATA --cache /tmp/reader --check [--out FILE]

What it is taught with and measured with, `benchmarks/reader_questions.py` says. MiniLM's own weights stay as they are; learnt are a product
of two thin matrices beside each of them (LoRA, Hu et al. 2021), what is said of each word's side and match (`bot.models.runtimes.pages`),
and two outputs. There are three stages, each of which goes on from where the one before has left FILE, and a fourth, which is not in the file
(docs/reading.md):

1. each question beside a passage that answers it and beside wrong ones that the search puts next, twice (seventy minutes on two cores);
2. those once more beside other wrong passages, and beside the right one less the sentence that answers (thirty minutes);
3. the questions that were written later in all these ways, and some of the others again (fifty minutes). What is written then is the mean of
   what stages 1 and 3 have learnt: it keeps what the first knows of the public sets' ways to ask, and marks as well as the last;
4. only where it is asked for: all of it once more, with thin matrices twice as wide, a question's right and wrong passages side by side, so
   that it is learnt as well which of them is the right one (ninety minutes, and 20 GB of memory).

`--check` trains nothing and measures the file on questions that it was not taught with.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from benchmarks.reader_net import Net, Said, mean_of, read_into, said_of, tensors_of
from benchmarks.reader_questions import MOST, Case, Pair, beside, found_of, found_of_written, right_of, without_of, wrong_of
from benchmarks.train_hangul_inputs import bert_of
from bot.config import Settings, install_models
from bot.language import detect
from bot.models.gates.golden import has_hangul
from bot.models.prepare import prepared_minilm
from bot.models.runtimes import minilm
from bot.models.runtimes.hangul import table_of
from bot.models.runtimes.hangul_inputs import Inputs, Learnt
from bot.models.runtimes.pages import Page, Pages
from bot.models.spec import LoadOptions, ModelSpec
from bot.text.lexicon import packaged

MODELS = Path(__file__).parents[1] / "bot" / "models"
TARGET, HANGUL = MODELS / "reader-v1.safetensors", MODELS / "hangul-v3.safetensors"
RANKS = {1: 16, 2: 16, 3: 16, 4: 32}
"""Columns of the thin matrices in each stage."""
STAGES = (1, 2, 3)
"""Those that made the file."""
BATCH, NEIGHBOURS = 32, 20
RATES = {1: 1e-3, 2: 6e-4, 3: 6e-4, 4: 6e-4}
"""Of each stage; it rises over WARM steps and falls to LAST of it."""
WARM, LAST = 60, 0.02
AGAIN = 0.5
"""The share of questions whose right passage is learnt once more in stage 2, and in the second round of stage 3."""
REPLAYED = 0.12
"""Of the questions of stage 1, the share that stands in each round of stage 3."""
MARKED = 0.3
"""What the sentence that answers counts beside whether there is one."""
BESIDE = 0.5
"""What it counts beside that which passage of a group is the right one."""
OF_SUBJECTS = 0.7
"""The share of the questions about made-up papers that stands in stage 4."""
FIRST = "reader-stage-1.safetensors"
SAMPLE = 600
"""Questions that are measured with as it goes; `--check` asks all."""
TOLD = 0.8
"""Of questions without an answer that many are told so, where it is counted how many of the others are answered."""

Array = NDArray[np.float32]


class Taught(NamedTuple):
    """A page as it is learnt."""

    page: Page
    right: bool
    sentence: int


Group = tuple[Pair, ...]
"""What is learnt side by side: one question beside one passage, or beside several, the right one first where there is one."""


def rounds_of(stage: int, cases: Sequence[Case], written: Sequence[Case]) -> list[list[Group]]:
    """Return what is learnt in each round of a stage."""
    if stage == 1:
        return [_each([right_of(case) for case in cases] + [wrong_of(case, place) for case in cases]) for place in (1, 2)]
    if stage == 2:
        again = [case for case in cases if random.random() < AGAIN]  # noqa: S311 - a sample
        others = [wrong_of(case, 3) for case in cases] + [without_of(case) for case in cases]
        return [_each([right_of(case) for case in again] + others)]
    if stage == 4:
        asked = [case for case in (*cases, *written) if "-open-" in case.library or random.random() < OF_SUBJECTS]  # noqa: S311
        return [[group for case in asked if (group := group_of(case))]]
    rounds = []
    for place, share in ((1, 1.0), (2, AGAIN)):
        asked = [case for case in written if random.random() < share]  # noqa: S311
        asked += [case for case in cases if random.random() < REPLAYED]  # noqa: S311
        rounds.append(
            _each(
                [right_of(case) for case in asked]
                + [wrong_of(case, place) for case in asked]
                + [without_of(case) for at, case in enumerate(written) if at % 2 == place - 1]
            )
        )
    return rounds


def group_of(case: Case) -> Group:
    """Return a question beside its right passage, beside wrong ones, and beside the right one less the sentence that answers."""
    right, less = right_of(case), without_of(case)
    wrong = _some(wrong_of(case, place) for place in range(1, MOST))
    few = 1 + (random.random() < AGAIN)  # noqa: S311
    if right is None:
        return tuple(wrong[:few])
    return (right, *wrong) if less is None else (right, *wrong[:few], less)


def _each(pairs: Iterable[Pair | None]) -> list[Group]:
    return [(pair,) for pair in _some(pairs)]


def _some(pairs: Iterable[Pair | None]) -> list[Pair]:
    return [pair for pair in pairs if pair is not None]


def train(net: Net, rounds: Sequence[Sequence[Sequence[Taught]]], rate: float, told: Callable[[], None]) -> None:
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


def _planned(taught: Sequence[Sequence[Taught]]) -> Iterator[list[Sequence[Taught]]]:
    """Yield batches of groups of about one length, BATCH pages each, in a random order."""
    some = list(taught)
    random.shuffle(some)
    for near in _parts(some, BATCH * NEIGHBOURS):
        batches = list(_parts(sorted(near, key=lambda group: max(len(one.page.rows) for one in group)), BATCH))
        random.shuffle(batches)
        yield from batches


def _parts(groups: Sequence[Sequence[Taught]], pages: int) -> Iterator[list[Sequence[Taught]]]:
    """Yield parts of so many pages at least, but for the last."""
    part: list[Sequence[Taught]] = []
    for group in groups:
        part.append(group)
        if sum(map(len, part)) >= pages:
            yield part
            part = []
    if part:
        yield part


def _loss(net: Net, groups: Sequence[Sequence[Taught]]) -> torch.Tensor:
    some = [one for group in groups for one in group]
    numbers = net([one.page for one in some])
    said = [said_of(rows, one.page) for rows, one in zip(numbers, some, strict=True)]
    odds, right = torch.stack([one.odds for one in said]), torch.tensor([float(one.right) for one in some])
    loss = torch.nn.functional.binary_cross_entropy_with_logits(odds, right)
    first = torch.tensor([0])
    firsts = [
        torch.nn.functional.cross_entropy(own[None], first)
        for own, group in zip(odds.split([len(group) for group in groups]), groups, strict=True)
        if len(group) > 1 and group[0].right
    ]
    if firsts:
        loss = loss + BESIDE * torch.stack(firsts).mean()
    marked = [
        torch.nn.functional.cross_entropy(told.sentences[None], torch.tensor([one.sentence]))
        for told, one in zip(said, some, strict=True)
        if 0 <= one.sentence < len(told.sentences)
    ]
    return loss + MARKED * torch.stack(marked).sum() * 2 / BATCH if marked else loss


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
    others = [case for case in cases if not case.taught]
    if options.check:
        net = Net(bert_of(), max(RANKS.values()))
        read_into(net, options.out)
        checked(net, pages, others)
        return
    some = random.sample(others, min(len(others), SAMPLE))
    taught = [case for case in cases if case.taught]
    written = (
        asyncio.run(found_of_written(options.data, options.cache, Settings(home=options.cache)))
        if options.stage in (None, 3, 4)
        else []
    )
    for stage in [options.stage] if options.stage else STAGES:
        net = Net(bert_of(), RANKS[stage])
        if stage > 1:
            read_into(net, options.out)

        def told(net: Net = net) -> None:
            save_file(tensors_of(net), options.out)
            checked(net, pages, some)

        rounds = rounds_of(stage, taught, written)
        print(f"stage {stage}: {sum(len(group) for part in rounds for group in part)} pages", flush=True)
        train(net, _taught(pages, rounds), RATES[stage], told)
        if stage == 1:
            save_file(tensors_of(net), options.cache / FIRST)
        if stage == 3:
            net.load_state_dict(mean_of([tensors_of(net), load_file(options.cache / FIRST)]))
        told()


def pages_of() -> Pages:
    """Return what makes pages, as the program does."""
    spec = ModelSpec("embed.minilm.v1", "embed", "minilm", "package")
    english = minilm.load(spec, prepared_minilm(install_models()), LoadOptions())
    if english.body is None:
        raise SystemExit("MiniLM's body is missing")
    tensors: Mapping[str, NDArray[np.generic]] = load_file(HANGUL)
    return Pages(Inputs(table_of(tensors), Learnt.read(tensors), english.body.words, english.tokenizer), packaged())


def _taught(pages: Pages, rounds: Sequence[Sequence[Group]]) -> list[list[list[Taught]]]:
    """Return the rounds as pages; what stands in two of them is one page."""
    made: dict[Pair, Taught] = {}
    for pair in dict.fromkeys(pair for some in rounds for group in some for pair in group):
        page = pages.of(pair.asked)
        small = page._replace(rows=page.rows.astype(np.float16))  # type: ignore[arg-type]  # half the memory
        made[pair] = Taught(small, pair.right, pair.sentence)
    return [[[made[pair] for pair in group] for group in some] for some in rounds]


if __name__ == "__main__":
    main()
