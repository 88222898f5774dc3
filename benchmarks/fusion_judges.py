"""The two judges of "is there an answer": how they are trained, when the second looks, and their thresholds.

Thresholds come from questions that a judge was not trained on: of those that it knows it is surer than it should be.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.ensemble import HistGradientBoostingClassifier

from benchmarks.fusion_cases import SECOND, Judged, half
from bot.language import detect
from bot.retrieval.evidence import EVIDENCE
from bot.retrieval.features import FEATURES
from bot.retrieval.fuse import STANDINGS, Network, Trees

HIDDEN = 16
NETWORKS = 3
"""Networks that are trained from different beginnings; their mean is steadier than any."""
SHARES: Mapping[str, float] = {"whole": 0.42, "small": 0.28, "made": 0.3}
"""What whole collections, small libraries and made questions (of small libraries) count."""
NOTHING_SHARE = 1.3
"""What a wrong passage of a small library counts beside a right one: a few documents mostly do not hold the answer."""
SECOND_SHARES: Mapping[str, float] = {"whole": 0.8, "small": 0.1, "made": 0.1}
"""The same of the second look, which is for passages of one article that share a question's words."""
DOUBT = (0.02, 0.8)
"""Share of answers below, and of what is none above which the first look is taken for sure. Wider tells nothing more apart."""
KEPT = 0.905
"""Share of the answerable questions that must still be answered."""
FEW = 200
"""Questions of one language below which a set says nothing of its threshold."""


def train_answers(sets: Sequence[Sequence[Judged]]) -> Network:
    """Return the mean of NETWORKS judges."""
    return mean_of([_train_answers(sets, seed=seed) for seed in range(NETWORKS)])


def _train_answers(sets: Sequence[Sequence[Judged]], *, seed: int, steps: int = 400) -> Network:
    """Return the judge: the chance that the best-ranked passage answers, from right and wrong firsts and from taken-away ones.

    Every set weighs alike, in it right and wrong, in these the kinds by SHARES.
    """
    torch.manual_seed(seed)
    rows, answers, weights = [], [], []
    for firsts in sets:
        for right in (True, False):
            for kind, share in SHARES.items():
                some = [first for first in firsts if first.right is right and first.kind == kind]
                rows += [first.row for first in some]
                answers += [float(right)] * len(some)
                counted = share if right or kind == "whole" else share * NOTHING_SHARE
                weights += [counted / max(len(some), 1)] * len(some)
    inputs, wanted, weight = torch.tensor(np.array(rows)), torch.tensor(answers), torch.tensor(weights)
    mean, scale = inputs.mean(0), inputs.std(0) + 1e-3
    inputs = ((inputs - mean) / scale).clamp(-6, 6)
    net = torch.nn.Sequential(torch.nn.Linear(inputs.shape[1], HIDDEN), torch.nn.Tanh(), torch.nn.Linear(HIDDEN, 1))
    optimiser = torch.optim.Adam(net.parameters(), lr=0.01)
    for _step in range(steps):
        losses = torch.nn.functional.binary_cross_entropy_with_logits(net(inputs).squeeze(-1), wanted, reduction="none")
        decay = sum((parameter**2).sum() for parameter in net.parameters() if parameter.ndim > 1)
        loss = (losses * weight).sum() / weight.sum() + 1e-2 * decay
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return as_network(net, mean, scale)


def train_second(sets: Sequence[Sequence[Judged]]) -> Trees:
    """Return the second look's judge: whether what answers is there at all, from all that both looks see.

    Trees, for they told one point in twenty more apart than a network; "there at all" rather than "first", for the same.
    """
    rows, answers, weights = [], [], []
    for firsts in sets:
        for here in (True, False):
            for kind, share in SECOND_SHARES.items():
                some = [first for first in firsts if len(first.close) and first.here is here and first.kind == kind]
                rows += [seen_twice(first) for first in some]
                answers += [here] * len(some)
                weights += [share / max(len(some), 1)] * len(some)
    weight = np.array(weights) / np.mean(weights)
    return trees_of([boosted(seed).fit(np.array(rows), answers, sample_weight=weight) for seed in range(NETWORKS)])


def seen_twice(first: Judged) -> np.ndarray:
    """Return the inputs of a second look, without the number of passages: one less where one was taken away, which would tell all."""
    row = first.row.copy()
    row[len(FEATURES) + STANDINGS + EVIDENCE.index("passages")] = 0
    return np.concatenate([row, first.close])


def boosted(seed: int) -> HistGradientBoostingClassifier:
    """Return boosted trees to train."""
    return HistGradientBoostingClassifier(
        max_iter=150, learning_rate=0.05, max_leaf_nodes=6, min_samples_leaf=30, l2_regularization=3.0, max_features=0.3,
        early_stopping=False, random_state=seed,
    )  # fmt: skip


def trees_of(models: Sequence[HistGradientBoostingClassifier]) -> Trees:
    """Return the mean of some boosted trees, without scikit-learn."""
    roots: list[int] = []
    parts: list[np.ndarray] = []
    size = 0
    for model in models:
        for (tree,) in model._predictors:  # noqa: SLF001 - it has no other way to tell its nodes
            nodes = tree.nodes.copy()
            nodes["left"] += size
            nodes["right"] += size
            roots.append(size)
            parts.append(nodes)
            size += len(nodes)
    nodes = np.concatenate(parts)
    leaf = nodes["is_leaf"].astype(bool)
    base = float(np.mean([model._baseline_prediction.item() for model in models]))  # noqa: SLF001
    return Trees(
        np.array(roots), np.where(leaf, -1, nodes["feature_idx"]).astype(np.int64),
        np.where(leaf, 0, nodes["num_threshold"]).astype(np.float32), np.where(leaf, 0, nodes["left"]).astype(np.int64),
        np.where(leaf, 0, nodes["right"]).astype(np.int64), (nodes["value"] * leaf / len(models)).astype(np.float32), base,
    )  # fmt: skip


def as_network(net: torch.nn.Sequential, mean: torch.Tensor, scale: torch.Tensor) -> Network:
    """Return a trained net without torch."""
    parameters = [parameter.detach().numpy() for parameter in net.parameters()]
    return Network(mean.numpy(), scale.numpy(), parameters[0].T.copy(), parameters[1], parameters[2][0], float(parameters[3][0]))


def mean_of(networks: Sequence[Network]) -> Network:
    """Return one network that answers what `networks`, which are of one mean and scale, answer on average."""
    return Network(
        np.mean([one.mean for one in networks], axis=0),
        np.mean([one.scale for one in networks], axis=0),
        np.concatenate([one.hidden for one in networks], axis=1),
        np.concatenate([one.hidden_bias for one in networks]),
        np.concatenate([one.out for one in networks]) / len(networks),
        float(np.mean([one.out_bias for one in networks])),
    )


@dataclass(frozen=True)
class Chances:
    """What both looks give to the first passages of one kind, with (`here`) and without the answers; the second where it looks."""

    first: np.ndarray
    second: np.ndarray
    here: np.ndarray

    def cut(self, unsure: tuple[float, float] | None) -> float:
        """Return the chance, of the second look where `unsure`, below which 1 - KEPT of what is there lies."""
        if unsure is None:
            return float(np.quantile(self.first[self.here], 1 - KEPT))
        doubted = self.doubted(unsure)
        wanted = KEPT * self.here.sum() - (self.here & (self.first >= unsure[1])).sum()
        ordered = np.sort(self.second[doubted & self.here])[::-1]
        return float(ordered[int(np.clip(wanted, 0, len(ordered) - 1))]) if len(ordered) else 0.5

    def doubted(self, unsure: tuple[float, float]) -> np.ndarray:
        """Return bool (n,): where the second looks."""
        return (self.first >= unsure[0]) & (self.first < unsure[1]) & ~np.isnan(self.second)

    def answered(self, cut: float, unsure: tuple[float, float] | None, second_cut: float) -> np.ndarray:
        """Return bool (n,): what is answered."""
        at_first = self.first >= cut
        return at_first if unsure is None else np.where(self.doubted(unsure), self.second >= second_cut, at_first)


@dataclass(frozen=True)
class Judges:
    """Both looks."""

    first: Network
    second: Trees

    @classmethod
    def trained(cls, sets: Sequence[Sequence[Judged]]) -> Judges:
        """Train both; a second look that was given nothing gives nothing."""
        seen = any(len(first.close) for firsts in sets for first in firsts)
        return cls(train_answers(sets), train_second(sets) if seen else NO_TREES)

    def chances(self, firsts: Sequence[Judged], kind: str) -> Chances:
        """Return what both give."""
        some = [first for first in firsts if first.kind == kind]
        odds = self.first(np.array([first.row for first in some])) if some else np.zeros(0)
        again = [self.second(seen_twice(first)) if len(first.close) and len(self.second.roots) else np.nan for first in some]
        here = np.array([first.here for first in some], bool)
        return Chances(1 / (1 + np.exp(-odds)), 1 / (1 + np.exp(-np.array(again))), here)


NO_TREES = Trees(
    *(np.zeros(0, np.int64),) * 2, np.zeros(0, np.float32), *(np.zeros(0, np.int64),) * 2, np.zeros(0, np.float32), 0.0
)


def unseen(sets: Mapping[str, Sequence[Judged]]) -> Mapping[str, Mapping[str, Chances]]:
    """Return by set and kind what judges give that were trained on the other half of every set."""
    judges = [Judges.trained([half(firsts, which) for firsts in sets.values()]) for which in (0, 1)]
    found: dict[str, dict[str, Chances]] = {}
    for name, firsts in sets.items():
        by_half = {kind: [judges[which].chances(half(firsts, 1 - which), kind) for which in (0, 1)] for kind in SHARES}
        found[name] = {kind: together(pair) for kind, pair in by_half.items()}
    return found


def together(some: Sequence[Chances]) -> Chances:
    """Return them as one."""
    return Chances(*(np.concatenate([getattr(one, name) for one in some]) for name in ("first", "second", "here")))


def at_kept(chances: Chances) -> str:
    """Return what share is told nothing: by the first look, and with the second, and what share that looks at."""
    alone = np.mean(chances.first[~chances.here] < chances.cut(None))
    if np.isnan(chances.second).all():
        return f"{alone:.3f}"
    unsure = doubt_of([chances])
    told = ~chances.answered(chances.cut(None), unsure, chances.cut(unsure))[~chances.here]
    looked = chances.doubted(unsure)
    return f"{alone:.3f} -> {told.mean():.3f} (looks again at {looked[chances.here].mean():.2f} / {looked[~chances.here].mean():.2f})"


def doubt_of(some: Sequence[Chances]) -> tuple[float, float]:
    """Return the first look's chances between which the second looks: what few answers lie below, and few others above."""
    whole = together(some)
    return (
        round(float(np.quantile(whole.first[whole.here], DOUBT[0])), 4),
        round(float(np.quantile(whole.first[~whole.here], DOUBT[1])), 4),
    )


def thresholds(
    sets: Mapping[str, Sequence[Judged]], halves: Mapping[str, Mapping[str, Chances]]
) -> tuple[dict[str, float], dict[str, tuple[float, float]], dict[str, float]]:
    """Return by language the first look's threshold, where the second looks, and its threshold.

    Each keeps KEPT of the answerable questions of whole collections that were not trained on, the sets counting alike.
    """
    cuts: dict[str, float] = {}
    unsure: dict[str, tuple[float, float]] = {}
    again: dict[str, float] = {}
    for language in ("ko", "en"):
        some = [halves[name]["whole"] for name, firsts in sets.items() if (detect(firsts[0].text) or "en") == language]
        cuts[language] = round(float(np.mean([chances.cut(None) for chances in some])), 4) if some else 0.5
        if some and language in SECOND:
            unsure[language] = doubt_of(some)
            again[language] = round(float(np.mean([chances.cut(unsure[language]) for chances in some])), 4)
    return cuts, unsure, again


def check_answers(sets: Mapping[str, Sequence[Judged]], halves: Mapping[str, Mapping[str, Chances]]) -> None:
    """Print what the judges reach at KEPT answered on questions, and on sets, that they have not seen."""
    for name, firsts in sets.items():
        others = [known for other, known in sets.items() if other != name]
        left_out = Judges.trained(others) if others else None
        for kind, chances in halves[name].items():
            seen = at_kept(chances)
            other = at_kept(left_out.chances(firsts, kind)) if left_out else "-"
            print(f"{name:22} {kind}: told nothing at {KEPT} answered: halves {seen}  set left out {other}", flush=True)
