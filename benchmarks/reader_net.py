"""The net that `benchmarks.train_reader` teaches: MiniLM, whose weights stay as they are, with thin matrices beside each of them.

Owns its shape, what it says of a page, and its file. Leaves the teaching to `benchmarks.train_reader`, the running to
`bot.models.runtimes.reader`.

    net = Net(bert_of(), rank=16)
    read_into(net, FILE)
    said = said_of(net(pages)[0], pages[0])
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file

from benchmarks.train_hangul_inputs import normed
from bot.models.runtimes.pages import KINDS, Page

if TYPE_CHECKING:
    from transformers import BertModel

HALF = torch.bfloat16

Learnt = Mapping[str, NDArray[np.generic]]


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

    def __init__(self, layer: torch.nn.Module, rank: int) -> None:
        super().__init__()
        own, out = layer.attention.self, layer.attention.output  # type: ignore[union-attr]
        self.seen = Thin([own.query, own.key, own.value], 2 * rank)  # type: ignore[union-attr, list-item]
        self.out = Thin([out.dense], rank)  # type: ignore[union-attr, list-item]
        self.inner = Thin([layer.intermediate.dense], rank)  # type: ignore[union-attr, list-item]
        self.outer = Thin([layer.output.dense], rank)  # type: ignore[union-attr, list-item]
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

    def __init__(self, bert: BertModel, rank: int) -> None:
        """Make one whose thin matrices have `rank` columns, twice as many where three of MiniLM's are taken together."""
        super().__init__()
        self._bert = [bert.requires_grad_(requires_grad=False)]
        self.layers = torch.nn.ModuleList(Layer(layer, rank) for layer in bert.encoder.layer)
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


def tensors_of(net: Net) -> dict[str, NDArray[np.generic]]:
    """Return what was learnt, as the program reads it."""
    return {name: value.detach().numpy().astype(np.float16) for name, value in net.state_dict().items()}


def read_into(net: Net, file: Path) -> None:
    """Take what `file` has learnt; where its thin matrices have fewer columns, the net's own stay beside them and say nothing yet."""
    learnt = mean_of([load_file(file)])
    net.load_state_dict({name: _widened(learnt[name], own) for name, own in net.state_dict().items()})


def _widened(learnt: torch.Tensor, own: torch.Tensor) -> torch.Tensor:
    wide = own.clone()
    wide[tuple(slice(size) for size in learnt.shape)] = learnt
    return wide


def mean_of(learnt: Sequence[Learnt]) -> dict[str, torch.Tensor]:
    """Return the mean of what was learnt from one beginning, in float32 (Wortsman et al. 2022)."""
    return {name: torch.from_numpy(np.mean([one[name].astype(np.float32) for one in learnt], axis=0)) for name in learnt[0]}
