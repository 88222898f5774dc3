"""Trains bot/models/hangul-v3.safetensors: Korean morphemes as MiniLM's own input, beside a table of Korean.

    python -m benchmarks.train_hangul DATA --more PAIRS --check --out /tmp/table.safetensors
    python -m benchmarks.train_lexicon DATA --more PAIRS --check --out /tmp/lexicon.txt
    python -m benchmarks.train_hangul_inputs DATA --more PAIRS --table /tmp/table.safetensors --lexicon /tmp/lexicon.txt [--out FILE]
    python -m benchmarks.train_hangul_inputs DATA --check [--out FILE]

DATA and PAIRS are what `benchmarks/train_hangul.py` learns from. Table and list are those that have not seen every fifth passage of DATA,
and neither does this: what is trained with its vectors asks these alone. MiniLM's body stays as it is; learnt are the vectors
that Korean goes into it with. Each Korean text's vector, the mean of the body's and the table's, is drawn to what MiniLM makes of its
English one, among the others of a batch (InfoNCE, both ways); a question of `benchmarks/reading` to the passage that answers it, in its
own language and in the other; and a sentence of a Korean passage to the rest of it. Half an hour on two cores. `--check` measures a file
on what it has not seen, as `benchmarks/train_hangul.py --check` does: the mean, and either alone.
"""

from __future__ import annotations

import argparse
import json
import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from safetensors.numpy import load_file, save_file

from benchmarks.reading_texts import FOLDER, asked_of
from benchmarks.train_hangul import FOLDS, Pair, checked, embedded, more_of, pairs_of
from bot.config import install_models
from bot.models.gates.golden import has_hangul
from bot.models.prepare import DISTRIBUTION, package_folder, prepared_minilm
from bot.models.runtimes import minilm
from bot.models.runtimes.hangul import Rows, Table, key_of, read_table, table_of
from bot.models.runtimes.hangul_inputs import BEGIN, END, TAGS, Inputs, Learnt, Placed
from bot.models.runtimes.minilm_ko import Bilingual
from bot.models.spec import LoadOptions, ModelSpec
from bot.text.lexicon import COLUMN
from bot.text.sentences import split
from bot.text.words import stem

if TYPE_CHECKING:
    from transformers import BertModel

TARGET = Path(__file__).parents[1] / "bot" / "models" / "hangul-v3.safetensors"
MOST_OF_MORE = 150_000
"""Pairs of PAIRS, drawn by chance: what programs say."""
LENGTHS = (4, 220)
"""Characters of a Korean text of PAIRS."""
LEAST_SENTENCES = 3
TIMES = 2
"""How often all but PAIRS is learnt."""
BATCHES = {"same": 64, "asked": 32, "across": 48}
"""Texts that are compared with each other: translations, questions and passages in Korean, the same in two languages."""
NEIGHBOURS = 20
"""Batches whose texts are ordered by length together, so that little is padding."""
SHARPNESS = 20.0
ALONE, NEARNESS = 0.5, 2.0
"""What the body's vector counts by itself, and the plain cosine of a pair, beside the comparison of the means."""
RATES = (3e-4, 2e-3)
"""Of the matrix, and of the rows of tags and morphemes."""
WARM, LAST = 60, 0.03
GLOSSES = 3
"""English tokens that a morpheme begins with at most."""

Batch = tuple[str, list[tuple[str, str]]]


class Tensors(NamedTuple):
    """What the morphemes of all texts begin with, by their numbers."""

    table: torch.Tensor
    """float32 (n, 384)."""
    glosses: torch.Tensor
    """float32 (n, 384): zeros where none is known."""
    glossed: torch.Tensor
    """float32 (n, 1)."""
    places: torch.Tensor
    """int64 (n,): the table's row of the word; the last one of `own` for none."""


@dataclass
class Begun:
    """Korean texts as numbers, and what their morphemes begin with."""

    inputs: Inputs
    tokens: dict[str, list[int]]
    """English tokens of the morphemes that the list of words knows, GLOSSES at most."""
    texts: dict[str, np.ndarray]
    """int64 (t, 3) for each text: token or -1, morpheme, part of speech."""
    numbers: dict[str, int]

    def take(self, texts: Sequence[str]) -> None:
        """Cut texts."""
        for text, placed in zip(texts, self.inputs.placed(texts), strict=True):
            self.texts[text] = np.array([[BEGIN, 0, 0], *map(self._numbered, placed), [END, 0, 0]], np.int64)

    def tensors(self) -> Tensors:
        """Return what they begin with."""
        table, places = self.inputs.table, {key: place for place, key in enumerate(self.inputs.table.vocabulary.keys.tolist())}
        terms = list(self.numbers)
        glosses = np.zeros((len(terms), 384), np.float32)
        for at, term in enumerate(terms):
            if tokens := self.tokens.get(term):
                glosses[at] = self.inputs.words[tokens].astype(np.float32).mean(axis=0)
        known = np.array([term in self.tokens for term in terms], np.float32)[:, None]
        rows = np.array([places.get(key_of(term), len(places)) for term in terms], np.int64)
        return Tensors(*map(torch.from_numpy, (table.vectors_of([[term] for term in terms]), glosses, known, rows)))

    def _numbered(self, one: Placed) -> list[int]:
        return [one.token, self.numbers.setdefault(one.term, len(self.numbers)) if one.token < 0 else 0, one.tag]


class Net(torch.nn.Module):
    """MiniLM's body, which stays as it is, and the vectors that are learnt."""

    def __init__(self, bert: BertModel, begun: Begun) -> None:
        super().__init__()
        self.bert, self.begun, self.known = bert.requires_grad_(requires_grad=False), begun, begun.tensors()
        into, middle = begun_matrix(bert)
        self.into, self.middle = torch.nn.Parameter(into), torch.nn.Parameter(middle)
        self.tags = torch.nn.Parameter(torch.zeros(TAGS, 384))
        self.own = torch.nn.Parameter(torch.zeros(len(begun.inputs.table.vocabulary.keys) + 1, 384))

    def forward(self, texts: Sequence[str]) -> torch.Tensor:
        """Return what the body makes of Korean texts: float32 (n, 384), unit rows."""
        numbers = [self.begun.texts[text] for text in texts]
        width = max(map(len, numbers))
        whole = np.full((len(texts), width, 3), -2, np.int64)
        for row, some in enumerate(numbers):
            whole[row, : len(some)] = some
        tokens, terms, tags = torch.from_numpy(whole).unbind(-1)
        rows = self.bert.embeddings.word_embeddings.weight[tokens.clamp(min=0)]
        if (korean := tokens == -1).any():
            mapped = self.known.table[terms[korean]] @ self.into + self.middle
            glossed = self.known.glossed[terms[korean]]
            begun = torch.where(glossed > 0, (mapped + self.known.glosses[terms[korean]]) / 2, mapped)
            rows = rows.index_put((korean,), begun + self.own[self.known.places[terms[korean]]] + self.tags[tags[korean]])
        return body_of(self.bert, rows, tokens != -2)


def main() -> None:
    """Train, and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--more", type=Path, help="What benchmarks/parallel_texts.py has written.")
    parser.add_argument("--table", type=Path, help="A table of benchmarks/train_hangul.py --check.")
    parser.add_argument("--lexicon", type=Path, help="A list of benchmarks/train_lexicon.py --check.")
    parser.add_argument("--check", action="store_true", help="Train nothing: measure the file.")
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "paring-train")
    parser.add_argument("--out", type=Path, default=TARGET)
    options = parser.parse_args()
    if not options.check and None in (options.more, options.table, options.lexicon):
        parser.error("training needs --more, --table and --lexicon")
    random.seed(0)
    torch.manual_seed(0)
    english = minilm.load(
        ModelSpec("embed.minilm.v1", "embed", "minilm", "package"), prepared_minilm(install_models()), LoadOptions()
    )
    if english.body is None:
        raise SystemExit("MiniLM's body is missing")
    if options.check:
        for name, embedding in parts_of(english, options.out).items():
            print(name, json.dumps(checked(embedding, options.data, options.cache)), flush=True)
        return
    table = read_table(options.table)
    begun = Begun(Inputs(table, nothing_of(table), english.body.words, english.tokenizer), {}, {}, {})
    begun.tokens = glosses_of(options.lexicon, english)
    own = [pair for pair in pairs_of(options.data) if pair.source % FOLDS and _of_two(pair)]
    more = [pair for pair in more_of(options.more) if LENGTHS[0] <= len(pair.korean) <= LENGTHS[1] and _of_two(pair)]
    more = random.sample(more, min(len(more), MOST_OF_MORE))
    plan = planned(own, more)
    said = list(dict.fromkeys(text for _kind, some in plan for pair in some for text in pair))
    begun.take([text for text in said if has_hangul(text)])
    others = [text for text in said if not has_hangul(text)]
    target = dict(zip(others, embedded(others, options.cache), strict=True))
    net = Net(bert_of(), begun)
    train(net, plan, target)
    save_file({**table.tensors(), **learnt(net).tensors()}, options.out)


@dataclass(frozen=True)
class Made:
    """Vectors by a function."""

    make: Callable[[Sequence[str]], Sequence[Rows] | Rows]

    def vectors(self, texts: Sequence[str], /) -> Rows:
        """Return float32 (n, 384)."""
        return np.array(self.make(texts), np.float32)


def parts_of(english: minilm.MiniLM, file: Path) -> dict[str, Made]:
    """Return the embedder of a file, and what its parts say by themselves."""
    tensors = load_file(file)
    table = table_of(tensors)
    if english.body is None:
        raise SystemExit("MiniLM's body is missing")
    inputs, body = Inputs(table, Learnt.read(tensors), english.body.words, english.tokenizer), english.body
    return {
        "mean": Made(Bilingual(english, table, inputs).predict), "table": Made(table.vectors),
        "body": Made(lambda texts: body(inputs.rows(texts))),
    }  # fmt: skip


def planned(own: Sequence[Pair], more: Sequence[Pair]) -> list[Batch]:
    """Return the batches in the order in which they are learnt."""
    asked = [(one.question, one.text) for one in asked_of(FOLDER) if one.answer]
    within = [pair for pair in map(_within, dict.fromkeys(pair.korean for pair in own)) if pair and all(map(has_hangul, pair))]
    korean = [pair for pair in asked if all(map(has_hangul, pair))]
    across = [pair for pair in asked if has_hangul(pair[0]) != has_hangul(pair[1])]
    batches = list(_batched("same", [(pair.korean, pair.english) for pair in more]))
    for _time in range(TIMES):
        batches += _batched("same", [(pair.korean, pair.english) for pair in own])
        batches += [*_batched("asked", korean + within), *_batched("across", across)]
    random.shuffle(batches)
    return batches


def _of_two(pair: Pair) -> bool:
    return has_hangul(pair.korean) and not has_hangul(pair.english)


def _within(passage: str) -> tuple[str, str] | None:
    """Return a sentence of a passage and the rest of it; None of one with few sentences. Source: Lee et al., inverse cloze task."""
    sentences = [passage[one.start : one.end] for one in split(passage)]
    if len(sentences) < LEAST_SENTENCES:
        return None
    taken = random.randrange(len(sentences))  # noqa: S311 - a sample
    return sentences[taken], " ".join(sentences[:taken] + sentences[taken + 1 :])


def _batched(kind: str, pairs: Sequence[tuple[str, str]]) -> Iterator[Batch]:
    size = BATCHES[kind]
    order = random.sample(pairs, len(pairs))
    for start in range(0, len(order), size * NEIGHBOURS):
        some = sorted(order[start : start + size * NEIGHBOURS], key=lambda pair: len(pair[0]))
        yield from ((kind, some[at : at + size]) for at in range(0, len(some) - size // 2, size))


def train(net: Net, plan: Sequence[Batch], target: dict[str, Rows]) -> None:
    """Learn."""
    matrix, rows = ([net.into, net.middle], [net.tags, net.own])
    optimiser = torch.optim.Adam([{"params": matrix}, {"params": rows}])
    lost = 0.0
    for step, (kind, pairs) in enumerate(plan):
        slow = min(1.0, (step + 1) / WARM) * max(LAST, 1 - step / len(plan))
        for group, rate in zip(optimiser.param_groups, RATES, strict=True):
            group["lr"] = rate * slow
        loss = _loss(net, kind, pairs, target)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch
        optimiser.step()
        lost += float(loss.detach())
        if step % 250 == 249:
            print(f"{step + 1} of {len(plan)}: loss {lost / 250:.3f}", flush=True)
            lost = 0.0


def _loss(net: Net, kind: str, pairs: Sequence[tuple[str, str]], target: dict[str, Rows]) -> torch.Tensor:
    """Return how badly the first of each pair finds its second among all, and the second its first."""
    if kind == "asked":
        (asked, alone), (answers, others) = (_both(net, side) for side in zip(*pairs, strict=True))
        return _compared(asked @ answers.T) + ALONE * _compared(alone @ others.T)
    korean, english = zip(*(pair if has_hangul(pair[0]) else pair[::-1] for pair in pairs), strict=True)
    whole, alone = _both(net, korean)
    truth = torch.from_numpy(np.array([target[text] for text in english]))
    loss = _compared(whole @ truth.T) + ALONE * _compared(alone @ truth.T)
    if kind == "same":
        loss = loss + NEARNESS * ((1 - (whole * truth).sum(1)).mean() + ALONE * (1 - (alone * truth).sum(1)).mean())
    return loss


def _both(net: Net, texts: Sequence[str]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the mean of the body's and the table's vectors, and the body's alone."""
    alone = net(texts)
    table = torch.from_numpy(net.begun.inputs.table.vectors(texts))
    return torch.nn.functional.normalize(alone + table, dim=1), alone


def _compared(near: torch.Tensor) -> torch.Tensor:
    places = torch.arange(len(near))
    compared = torch.nn.functional.cross_entropy
    return (compared(near * SHARPNESS, places) + compared(near.T * SHARPNESS, places)) / 2


def body_of(bert: BertModel, rows: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Return BERT over tokens' vectors with mean pooling, in bfloat16: float32 (n, 384), unit rows.

    By hand, since torch's own attention is slower to learn through, at heads of 32 numbers on processors.
    """
    norm, half = torch.nn.functional.layer_norm, torch.bfloat16
    first = bert.embeddings
    at = rows + first.position_embeddings.weight[: rows.shape[1]] + first.token_type_embeddings.weight[0]
    at = norm(at, (384,), first.LayerNorm.weight, first.LayerNorm.bias, 1e-12).to(half)
    unseen = torch.zeros(mask.shape, dtype=half).masked_fill(~mask, -1e4)[:, None, None, :]
    with torch.autocast("cpu", half):
        for layer in bert.encoder.layer:
            own = layer.attention.self
            query, key, value = (one(at).view(*at.shape[:2], 12, 32).transpose(1, 2) for one in (own.query, own.key, own.value))
            shares = torch.softmax((query / math.sqrt(32)) @ key.transpose(-1, -2) + unseen, -1).to(half)
            seen = layer.attention.output.dense((shares @ value).transpose(1, 2).reshape(at.shape))
            at = normed(layer.attention.output.LayerNorm, seen + at)
            inner = layer.output.dense(torch.nn.functional.gelu(layer.intermediate.dense(at)))
            at = normed(layer.output.LayerNorm, inner + at)
    shown = mask.float()[..., None]
    return torch.nn.functional.normalize((at.float() * shown).sum(1) / shown.sum(1), dim=1)


def normed(norm: torch.nn.LayerNorm, rows: torch.Tensor) -> torch.Tensor:
    """Return bfloat16 rows, normed in float32."""
    return torch.nn.functional.layer_norm(rows.float(), (384,), norm.weight, norm.bias, 1e-12).to(torch.bfloat16)


def bert_of() -> BertModel:
    """Return MiniLM from the installed package."""
    from transformers import BertModel

    folder = package_folder(DISTRIBUTION)
    if folder is None:
        raise SystemExit(f"pip install {DISTRIBUTION}")
    return BertModel.from_pretrained(folder / "model", add_pooling_layer=False).eval()


def begun_matrix(bert: BertModel) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the linear map, float32 (384, 384) and (384,), from what MiniLM makes of a word to the vector that the word goes in with.

    By least squares over the words that are one token: what a table says of a Korean word is near to what MiniLM makes of its English one.
    """
    words = bert.embeddings.word_embeddings.weight
    known = _one_token_words()
    with torch.no_grad():
        made = torch.cat([
            body_of(bert, words[torch.tensor([[BEGIN, token, END] for token in some])], torch.ones(len(some), 3, dtype=torch.bool))
            for some in (known[at : at + 256] for at in range(0, len(known), 256))
        ])  # fmt: skip
        inputs = torch.cat([made, torch.ones(len(made), 1)], dim=1)
        square = inputs.T @ inputs + 0.1 * torch.eye(inputs.shape[1])
        whole = torch.linalg.solve(square, inputs.T @ words[torch.tensor(known)])
    return whole[:-1].clone(), whole[-1].clone()


def _one_token_words() -> list[int]:
    tokenizer = minilm.tokenizer_of(prepared_minilm(install_models()))
    return [token for word, token in tokenizer.get_vocab().items() if word.isascii() and word.isalpha() and len(word) > 2]


def glosses_of(lexicon: Path, english: minilm.MiniLM) -> dict[str, list[int]]:
    """Return by Korean morpheme the English tokens that the list of words has for it: the most frequent one of each stem."""
    tokens: dict[str, int] = {}
    for word, token in sorted(english.tokenizer.get_vocab().items(), key=lambda one: one[1]):
        if word.isascii() and word.isalpha():
            tokens.setdefault(stem(word), token)
    found = {}
    for line in lexicon.read_text(encoding="utf-8").splitlines():
        term, across, _alike = line.split(COLUMN)
        if has_hangul(term) and " " not in term and (some := [tokens[word] for word in across.split() if word in tokens]):
            found[term] = some[:GLOSSES]
    return found


def nothing_of(table: Table) -> Learnt:
    """Return that nothing was learnt yet."""
    none = np.zeros(0, np.float32)
    words = len(table.vocabulary.keys)
    return Learnt(none, none, none, np.zeros((words, 0), np.int8), none, np.zeros(0, np.uint32), np.zeros((0, GLOSSES), np.int32))


def learnt(net: Net) -> Learnt:
    """Return what was learnt, as the program reads it."""
    own = net.own.detach().numpy()[:-1]
    scales = np.maximum(np.abs(own).max(axis=1), 1e-6).astype(np.float32) / 127
    by_key = sorted((key_of(term), tokens) for term, tokens in net.begun.tokens.items())
    said = np.array([key for key, _tokens in by_key], np.uint32)
    tokens = np.array([[*some, 0, 0, 0][:GLOSSES] for _key, some in by_key], np.int32)
    into, middle, tags = (one.detach().numpy() for one in (net.into, net.middle, net.tags))
    return Learnt(into, middle, tags, np.rint(own / scales[:, None]).astype(np.int8), scales, said, tokens)


if __name__ == "__main__":
    main()
