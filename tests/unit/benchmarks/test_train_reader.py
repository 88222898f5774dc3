"""How the model that reads is taught: what is learnt side by side, and what a file of an earlier stage is in a later one."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file
from transformers import BertConfig, BertModel

from benchmarks.reader_net import Net, mean_of, read_into, said_of, tensors_of
from benchmarks.reader_questions import Candidate, Case
from benchmarks.train_reader import Taught, group_of, rounds_of, train
from bot.models.runtimes.pages import Page

HALL = Candidate("Hall", "It is a hall. It opens at nine. It is warm.", right=True)
OTHERS = tuple(Candidate(f"Other {number}", f"No, {number}.", right=False) for number in (1, 2, 3))


def test_a_question_stands_beside_its_right_passage_then_wrong_ones_then_the_right_one_less_what_answers() -> None:
    right, *wrong, less = group_of(asked("nine", OTHERS[0], HALL, *OTHERS[1:]))

    assert (right.right, right.asked.text, right.sentence) == (True, HALL.text, 1)
    assert [one.asked.title for one in wrong] in (["Other 1"], ["Other 1", "Other 2"])
    assert (less.right, less.asked.title, "nine" in less.asked.text) == (False, "Hall", False)


def test_where_it_is_not_known_what_answers_all_wrong_ones_stand_beside() -> None:
    group = group_of(asked("", HALL, *OTHERS))

    assert [(one.right, one.asked.title) for one in group] == [(True, "Hall"), *((False, other.title) for other in OTHERS)]


def test_what_nothing_answers_stands_beside_wrong_ones_alone() -> None:
    assert {len(group_of(asked("", *OTHERS))) for _time in range(50)} == {1, 2}
    assert not any(one.right for one in group_of(asked("", *OTHERS)))


def test_each_stage_but_the_last_learns_pages_one_by_one() -> None:
    cases = [asked("nine", HALL, *OTHERS)] * 40

    one_by_one = {len(group) for stage in (1, 2, 3) for some in rounds_of(stage, cases, cases) for group in some}
    (last,) = rounds_of(4, cases, [])

    assert one_by_one == {1}
    assert 0 < len(last) < len(cases)  # some questions about made-up papers are left out
    assert len(rounds_of(4, [asked("nine", HALL, library="squad-open-en")] * 40, [])[0]) == 40


def test_what_a_narrow_net_has_learnt_a_wider_one_says_too(tmp_path: Path) -> None:
    pages, bert = [page(1), page(2)], small()
    narrow, wide = Net(bert, 2), Net(bert, 5)
    for name, value in narrow.named_parameters():
        if name.endswith("up"):
            value.data.normal_(std=0.05)
    save_file(tensors_of(narrow), tmp_path / "narrow.safetensors")

    read_into(narrow, tmp_path / "narrow.safetensors")
    before = wide(pages)
    read_into(wide, tmp_path / "narrow.safetensors")

    torch.testing.assert_close(wide(pages), narrow(pages), atol=2e-2, rtol=0)
    assert (before - narrow(pages)).abs().max() > 2e-2
    assert tensors_of(wide)["layers.0.out.down"].shape == (384, 5)


def test_the_mean_of_two_files_lies_between_them() -> None:
    one, other = ({"bias": np.array(value, np.float16)} for value in ([1, 2], [3, -2]))
    assert mean_of([one, other])["bias"].tolist() == [2, 0]


def test_which_of_a_question_s_passages_is_right_is_learnt() -> None:
    torch.manual_seed(0)
    net = Net(small(), 4)
    group = [Taught(page(1), right=True, sentence=1), Taught(page(2), right=False, sentence=-1)]
    lone = [Taught(page(3), right=False, sentence=-1)]
    told: list[None] = []

    train(net, [[group, lone] * 300], 3e-3, lambda: told.append(None))

    with torch.inference_mode():
        right, wrong, other = (said_of(rows, one) for one, rows in ((one, net([one])[0]) for one in map(page, (1, 2, 3))))
    assert right.odds > 0 > max(wrong.odds, other.odds)
    assert right.sentences.argmax() == 1


def asked(answer: str, *found: Candidate, library: str = "hall") -> Case:
    """Return a question for which that was found."""
    return Case(library=library, question="when?", answer=answer, there=True, taught=True, found=found)


def page(seed: int) -> Page:
    """Return a page of chance: three words asked, and two sentences of two words."""
    rows = np.random.default_rng(seed).normal(size=(7, 384)).astype(np.float32)
    sides: Sequence[int] = [0, 0, 0, 1, 1, 1, 1]
    return Page(rows, np.array(sides, np.int64), np.zeros(7, np.int64), np.array([-1, -1, -1, 0, 0, 1, 1], np.int64))


def small() -> BertModel:
    """Return a net of MiniLM's width with one layer, of chance."""
    torch.manual_seed(0)
    shape = BertConfig(hidden_size=384, num_hidden_layers=1, num_attention_heads=12, intermediate_size=32, vocab_size=9)
    return BertModel(shape, add_pooling_layer=False)
