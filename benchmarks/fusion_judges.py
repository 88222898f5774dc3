"""The two judges of "is there an answer": how they are trained, when the second looks, and their thresholds.

Thresholds come from questions that a judge was not trained on: of those that it knows it is surer than it should be.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from sklearn.ensemble import HistGradientBoostingClassifier

from benchmarks.fusion_cases import Judged, half
from benchmarks.fusion_sources import BOTH
from bot.retrieval.fuse import ACROSS, Network, Trees
from bot.retrieval.verdicts import led, read_numbers

HIDDEN = 16
NETWORKS = 3
"""Networks that are trained from different beginnings; their mean is steadier than any."""
SHARES: Mapping[str, float] = {"whole": 0.42, "small": 0.28, "made": 0.3}
"""What whole collections, small libraries and made questions (of small libraries) count."""
SHARES_OF_FEW: Mapping[str, float] = {"small": 0.28, "made": 0.3, "middle": 0.6, "team": 3.0}
"""The same of the judges in libraries of few passages: teams' libraries, asked in everyday words, nearly as much as all public sets together."""
TOLD_OF_FEW = {"ko": 0.8, "en": 0.77, "across": 0.96}
"""Share of what is not there that is told nothing in teams' libraries: what was taken away, and what their authors knew to be near to it. More
of public sets is, in libraries of that size. Between two languages it is more, since a word that is missing there may be a name that was not
heard.
"""
TOLD_ONCE_READ = {"ko": 0.8, "en": 0.8, "across": 0.95}
"""The same where a reader has looked."""
NOTHING_SHARE = 1.3
"""What a wrong passage of a small library counts beside a right one: a few documents mostly do not hold the answer."""
SECOND_SHARES: Mapping[str, float] = {"whole": 0.8, "small": 0.1, "made": 0.1}
"""The same of the second look, which is for passages of one article that share a question's words."""
DOUBT = (0.02, 0.8)
"""Share of answers below, and of what is none above which the first look is taken for sure. Wider tells nothing more apart."""
DOUBT_READ = (0.02, 0.9)
"""The same where a reader looks."""
KEPT = 0.905
"""Share of the answerable questions that must still be answered."""
KEPT_ACROSS = 0.55
"""The same between two languages, where words tell less: at .55 of whole collections four of five are told nothing."""
KEPT_ACROSS_READ = 0.77
"""The same where a reader has looked."""
FEW = 100
"""Answerable questions of one of LANGUAGES below which a set says nothing of its threshold."""
LANGUAGES = ("ko", "en", ACROSS)
"""What `bot.retrieval.fuse.languages` may say of a question and its first passage: each has its threshold."""
APART = ({"ko", "en"}, {ACROSS})
"""Those that have a judge together."""
SECOND = ("en", ACROSS)
"""Those that a second look by vectors is taken at. Of Korean it told nothing that the first had not."""
LEADS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3)
"""What a reader's odds may count in which passage is the first, beside what that ranks by."""
ALWAYS = (0.0, 1.01)
"""The first look's chances between which a second looks that always does."""


@dataclass(frozen=True)
class Look:
    """How a reader looks: at how many passages, and what its odds count in which of them is the first."""

    pages: int = 1
    lead: float = 0.0

    def at(self, judged: Judged) -> Sight:
        """Return what is seen of a question, by vectors where no reader has looked."""
        if not judged.read:
            return Sight(np.concatenate([judged.row, judged.close]), judged.right, judged.spoken)
        some = judged.read[: self.pages]
        verdicts = [one.verdict for one in some]
        place = led([one.score for one in some], verdicts, self.lead)
        one = some[place]
        return Sight(np.concatenate([one.first.row, read_numbers(one.first, verdicts, place)]), one.right, one.first.spoken)


class Sight(NamedTuple):
    """What a second look sees of what is then the first passage, whether that is right, and of which languages it is."""

    row: np.ndarray
    right: bool
    spoken: str


def look_of(sets: Sequence[Sequence[Judged]], kinds: Collection[str], pages: int) -> Look:
    """Return the look that puts most right passages first, every set counting alike."""
    some = [[one for one in firsts if one.here and one.read and one.kind in kinds] for firsts in sets]
    shares = {
        lead: np.mean([np.mean([Look(pages, lead).at(one).right for one in firsts]) for firsts in some if firsts])
        for lead in LEADS
    }
    print({lead: round(float(share), 4) for lead, share in shares.items()}, flush=True)
    return Look(pages, max(shares, key=shares.__getitem__))


def train_answers(sets: Sequence[Sequence[Judged]], shares: Mapping[str, float] = SHARES) -> Network:
    """Return the mean of NETWORKS judges."""
    return mean_of([_train_answers(sets, shares, seed=seed) for seed in range(NETWORKS)])


def _train_answers(sets: Sequence[Sequence[Judged]], shares: Mapping[str, float], *, seed: int, steps: int = 400) -> Network:
    """Return the judge: the chance that the best-ranked passage answers, from right and wrong firsts and from taken-away ones.

    Every set weighs by its share, in it right and wrong alike, in these the kinds by `shares`.
    """
    torch.manual_seed(seed)
    rows, answers, weights = [], [], []
    for firsts in sets:
        for right in (True, False):
            for kind, share in shares.items():
                some = [first for first in firsts if first.right is right and first.kind == kind]
                rows += [first.row for first in some]
                answers += [float(right)] * len(some)
                counted = share * NOTHING_SHARE if kind in {"small", "made"} and not right else share
                weights += [first.share * counted / max(len(some), 1) for first in some]
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


def train_second(sets: Sequence[Sequence[Judged]], spoken: str, shares: Mapping[str, float], look: Look) -> Trees:
    """Return the second look's judge of one of LANGUAGES: whether what answers is there at all, from all that both looks see.

    Trees, for they told one point in twenty more apart than a network; "there at all" rather than "first", for the same. Where a reader
    has looked at several passages, it is whether the one that is first then is right.
    """
    rows, answers, weights = [], [], []
    for firsts in sets:
        seen = [(one, look.at(one)) for one in firsts]
        for truth in (True, False):
            for kind, share in shares.items():
                some = [
                    (one, sight) for one, sight in seen
                    if sight.spoken == spoken and one.kind == kind and (sight.right if look.pages > 1 else one.here) is truth
                ]  # fmt: skip
                rows += [sight.row for _one, sight in some]
                answers += [truth] * len(some)
                weights += [one.share * share / max(len(some), 1) for one, _sight in some]
    weight = np.array(weights) / np.mean(weights)
    return trees_of([boosted(seed).fit(np.array(rows), answers, sample_weight=weight) for seed in range(NETWORKS)])


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
class Bound:
    """When questions of one of LANGUAGES are answered: from which chance of the first look; where the second looks, and from which of its."""

    cut: float
    unsure: tuple[float, float] | None = None
    again: float = 0.0


@dataclass(frozen=True)
class Chances:
    """What both looks give to the first passages of one kind, with (`here`) and without the answers, and of which languages they are."""

    first: np.ndarray
    second: np.ndarray
    here: np.ndarray
    spoken: np.ndarray
    right: np.ndarray
    """Whether what is first is right."""

    def of(self, spoken: str) -> Chances:
        """Return those of one of LANGUAGES."""
        chosen = self.spoken == spoken
        return Chances(*(getattr(self, name)[chosen] for name in PARTS))

    def cut(self, unsure: tuple[float, float] | None, kept: float = KEPT) -> float:
        """Return the chance, of the second look where `unsure`, below which 1 - `kept` of what is there lies."""
        if unsure is None:
            return float(np.quantile(self.first[self.here], 1 - kept))
        doubted = self.doubted(unsure)
        wanted = kept * self.here.sum() - (self.here & (self.first >= unsure[1])).sum()
        ordered = np.sort(self.second[doubted & self.here])[::-1]
        return float(ordered[int(np.clip(wanted, 0, len(ordered) - 1))]) if len(ordered) else 0.5

    def doubted(self, unsure: tuple[float, float]) -> np.ndarray:
        """Return bool (n,): where the second looks."""
        return (self.first >= unsure[0]) & (self.first < unsure[1]) & ~np.isnan(self.second)

    def answered(self, bounds: Mapping[str, Bound]) -> np.ndarray:
        """Return bool (n,): what is answered."""
        answered = np.zeros(len(self.first), bool)
        for spoken, bound in bounds.items():
            at_first = self.first >= bound.cut
            here = (
                at_first if bound.unsure is None else np.where(self.doubted(bound.unsure), self.second >= bound.again, at_first)
            )
            answered |= here & (self.spoken == spoken)
        return answered


PARTS = ("first", "second", "here", "spoken", "right")
"""The fields of Chances."""


@dataclass(frozen=True)
class Judges:
    """Both looks."""

    first: Network
    across: Network | None
    """The first look where question and passage are of two languages; None where none of the sets has such."""
    second: Mapping[str, Trees]
    """By LANGUAGES, of those that there is anything of."""
    look: Look = Look()
    """How the second looks."""

    @classmethod
    def trained(cls, sets: Sequence[Sequence[Judged]]) -> Judges:
        """Train both."""
        between = _of(sets, {ACROSS})
        look, seconds = Look(), LANGUAGES if was_read(sets) else SECOND
        second = {spoken: train_second(some, spoken, SECOND_SHARES, look) for spoken in seconds if (some := _of(sets, {spoken}))}
        return cls(train_answers(_of(sets, {"ko", "en"})), train_answers(between) if between else None, second, look)

    @classmethod
    def of_few(cls, sets: Sequence[Sequence[Judged]], look: Look) -> Judges:
        """Train those of libraries of few passages; a second look by vectors was not tried there."""
        few = [[one for one in firsts if one.kind in SHARES_OF_FEW] for firsts in sets]
        second = {spoken: train_second(few, spoken, SHARES_OF_FEW, look) for spoken in LANGUAGES} if was_read(sets) else {}
        some, between = (_of(few, spoken) for spoken in APART)
        return cls(train_answers(some, SHARES_OF_FEW), train_answers(between, SHARES_OF_FEW), second, look)

    def read(self, firsts: Sequence[Judged], kind: str) -> Chances:
        """Return what the second look gives, as if it were the first and always looked."""
        some = [one for one in firsts if one.kind == kind and one.read]
        sights = [self.look.at(one) for one in some]
        odds = np.array([self.second[sight.spoken](sight.row) for sight in sights])
        chances, here = 1 / (1 + np.exp(-odds)), np.array([one.here for one in some], bool)
        return Chances(chances, np.full(len(some), np.nan), here, *_of_sights(sights))

    def chances(self, firsts: Sequence[Judged], kind: str) -> Chances:
        """Return what both give."""
        some = [first for first in firsts if first.kind == kind]
        rows = np.array([first.row for first in some]).reshape(len(some), len(self.first.mean))
        apart = np.array([first.spoken == ACROSS for first in some], bool)
        odds = np.where(apart, (self.across or self.first)(rows), self.first(rows))
        again = [self.second[one.spoken](self.look.at(one).row) if one.spoken in self.second else np.nan for one in some]
        here = np.array([first.here for first in some], bool)
        spoken, right = np.array([first.spoken for first in some], str), np.array([first.right for first in some], bool)
        return Chances(1 / (1 + np.exp(-odds)), 1 / (1 + np.exp(-np.array(again))), here, spoken, right)


def was_read(sets: Sequence[Sequence[Judged]]) -> bool:
    """Say whether a reader has looked at all."""
    return all(one.read for firsts in sets for one in firsts)


def _of_sights(sights: Sequence[Sight]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([sight.spoken for sight in sights], str), np.array([sight.right for sight in sights], bool)


def _of(sets: Sequence[Sequence[Judged]], spoken: Collection[str]) -> list[list[Judged]]:
    """Return what of each set is of these LANGUAGES, without the sets that have next to nothing of them."""
    some = [[first for first in firsts if first.spoken in spoken] for firsts in sets]
    return [firsts for firsts in some if len(firsts) >= FEW]


def unseen(sets: Mapping[str, Sequence[Judged]]) -> Mapping[str, Mapping[str, Chances]]:
    """Return by set and kind what judges give that were trained on the other half of every set."""
    judges = [Judges.trained([half(firsts, which) for firsts in sets.values()]) for which in (0, 1)]
    found: dict[str, dict[str, Chances]] = {}
    for name, firsts in sets.items():
        by_half = {kind: [judges[which].chances(half(firsts, 1 - which), kind) for which in (0, 1)] for kind in SHARES}
        found[name] = {kind: together(pair) for kind, pair in by_half.items()}
    return found


def halves_of_few(sets: Mapping[str, Sequence[Judged]], look: Look) -> tuple[Judges, Judges]:
    """Return judges in libraries of few passages, each trained on one half of every set."""
    first, second = (Judges.of_few([half(firsts, which) for firsts in sets.values()], look) for which in (0, 1))
    return first, second


def unseen_by_few(
    sets: Mapping[str, Sequence[Judged]], judges: tuple[Judges, Judges], *, read: bool = False
) -> Mapping[str, Mapping[str, Chances]]:
    """Return what `halves_of_few` give to the halves that they were not trained on: the first look, or the one that has `read`."""
    give = [judge.read if read else judge.chances for judge in judges]
    return {
        name: {kind: together([give[which](half(firsts, 1 - which), kind) for which in (0, 1)]) for kind in SHARES_OF_FEW}
        for name, firsts in sets.items()
    }


def few_bounds(teams: Chances, told: Mapping[str, float] = TOLD_OF_FEW) -> dict[str, Bound]:
    """Return by LANGUAGES the chance below which `told` of what teams' libraries do not hold lies."""
    gone = {spoken: teams.of(spoken) for spoken in LANGUAGES}
    return {spoken: Bound(round(float(np.quantile(some.first[~some.here], told[spoken])), 4)) for spoken, some in gone.items()}


def together(some: Sequence[Chances]) -> Chances:
    """Return them as one."""
    return Chances(*(np.concatenate([getattr(one, name) for one in some]) for name in PARTS))


def bound_of(some: Sequence[Chances], spoken: str, *, read: bool) -> Bound:
    """Return what answers the wanted share of the answerable questions of each of `some`, on average; `read` where a reader looks again."""
    kept = KEPT_ACROSS if spoken == ACROSS else KEPT
    cut = float(np.mean([chances.cut(None, kept) for chances in some]))
    unsure = doubt_of(some, spoken, DOUBT_READ if read else DOUBT)
    if not any(chances.doubted(unsure).any() for chances in some):
        return Bound(round(cut, 4))
    if read and spoken == ACROSS:
        kept = KEPT_ACROSS_READ
    again = float(np.mean([chances.cut(unsure, kept) for chances in some]))
    return Bound(round(cut, 4), unsure, round(again, 4))


def doubt_of(some: Sequence[Chances], spoken: str, doubt: tuple[float, float]) -> tuple[float, float]:
    """Return the first look's chances between which the second looks: what few answers lie below, and few others above.

    Between two languages there is nothing above: the second look marks the sentence as well.
    """
    whole = together(some)
    above = 1.01 if spoken == ACROSS else float(np.quantile(whole.first[~whole.here], doubt[1]))
    return round(float(np.quantile(whole.first[whole.here], doubt[0])), 4), round(above, 4)


def thresholds(halves: Mapping[str, Mapping[str, Chances]], *, read: bool) -> dict[str, Bound]:
    """Return the bounds by LANGUAGES, from the questions of whole collections that were not trained on, the sets counting alike.

    BOTH tells of what lies between two languages alone: by its making half of its Korean firsts cannot be right.
    """
    bounds = {}
    for spoken in LANGUAGES:
        some = [kinds["whole"].of(spoken) for name, kinds in halves.items() if name != BOTH or spoken == ACROSS]
        some = [chances for chances in some if chances.here.sum() >= FEW]
        if some:
            bounds[spoken] = bound_of(some, spoken, read=read)
    return bounds


def check_answers(sets: Mapping[str, Sequence[Judged]], halves: Mapping[str, Mapping[str, Chances]]) -> None:
    """Print what the judges reach at KEPT answered on questions, and on sets, that they have not seen."""
    for name, firsts in sets.items():
        others = [known for other, known in sets.items() if other != name]
        left_out = Judges.trained(others) if others else None
        for kind, chances in halves[name].items():
            for spoken in LANGUAGES:
                seen = at_kept(chances.of(spoken), read=was_read([firsts]))
                other = at_kept(left_out.chances(firsts, kind).of(spoken), read=was_read([firsts])) if left_out else "-"
                if seen:
                    print(
                        f"{name:22} {kind} {spoken}: told nothing at the wanted share answered: halves {seen}  set left out {other}",
                        flush=True,
                    )


def at_kept(chances: Chances, *, read: bool) -> str:
    """Return what share is told nothing: by the first look, and with the second, and what share that looks at; "" of too few."""
    if min(chances.here.sum(), (~chances.here).sum()) < FEW:
        return ""
    kept = KEPT_ACROSS if chances.spoken[0] == ACROSS else KEPT
    alone = np.mean(chances.first[~chances.here] < chances.cut(None, kept))
    spoken = str(chances.spoken[0])
    if np.isnan(chances.second).all():
        return f"{alone:.3f}"
    bound = bound_of([chances], spoken, read=read)
    told = ~chances.answered({spoken: bound})[~chances.here]
    looked = chances.doubted(bound.unsure or (0, 0))
    return f"{alone:.3f} -> {told.mean():.3f} (looks again at {looked[chances.here].mean():.2f} / {looked[~chances.here].mean():.2f})"
