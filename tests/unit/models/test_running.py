"""One model, many callers: gathered, sliced, in order, and none of them waits behind a long one."""

import threading
from collections.abc import Iterator, Sequence

import pytest

from bot.errors import ModelError
from bot.models.running import Call, Piece, Running

from .conftest import Echo, Gate


@pytest.fixture
def started() -> Iterator[list[Running]]:
    opened: list[Running] = []
    yield opened
    for running in opened:
        running.close()


def start(model: Echo, started: list[Running]) -> Running:
    running = Running("echo", lambda: model)
    running.start().result(timeout=20)
    started.append(running)
    return running


def test_each_input_has_its_output_in_order(started: list[Running]) -> None:
    running = start(Echo(batch_rows=3, workers=2), started)

    answers = running.submit(["ccc", "a", "bb", "dddd", "e"] * 20, bulk=False).result(timeout=20)

    assert answers == [f"echo:{one}" for one in ["ccc", "a", "bb", "dddd", "e"] * 20]


def test_no_batch_is_larger_than_the_model_wants(started: list[Running]) -> None:
    model = Echo(batch_rows=3)
    start(model, started).submit(list(range(10)), bulk=False).result(timeout=20)

    assert max(map(len, model.batches)) == 3


def test_what_is_queued_while_the_model_works_is_one_batch(started: list[Running]) -> None:
    gate = Gate()
    model = Echo(before=gate)
    running = start(model, started)
    first = running.submit(["first"], bulk=False)
    assert gate.reached.wait(20)

    others = [running.submit([f"other {index}"], bulk=False) for index in range(3)]
    gate.opened.set()

    assert [answer.result(timeout=20) for answer in (first, *others)][3] == ["echo:other 2"]
    assert model.batches == [["first"], ["other 0", "other 1", "other 2"]]


def test_a_question_goes_before_what_is_left_of_bulk_work(started: list[Running]) -> None:
    gate = Gate()
    model = Echo(before=gate)
    running = start(model, started)
    bulk = running.submit(list(range(100)), bulk=True)
    assert gate.reached.wait(20)

    question = running.submit(["question"], bulk=False)
    gate.opened.set()
    question.result(timeout=20)
    bulk.result(timeout=20)

    assert model.batches[1] == ["question"]


def test_a_question_goes_after_one_slice_of_a_large_call(started: list[Running]) -> None:
    gate = Gate()
    model = Echo(before=gate)
    running = start(model, started)
    large = running.submit(list(range(100)), bulk=False)
    assert gate.reached.wait(20)

    question = running.submit(["question"], bulk=False)
    gate.opened.set()
    question.result(timeout=20)
    large.result(timeout=20)

    assert [batch for batch in model.batches if "question" in batch] == [model.batches[2]]


def test_bulk_work_goes_on_under_a_stream_of_questions(started: list[Running]) -> None:
    gate = Gate()
    model = Echo(before=gate, batch_rows=1)
    running = start(model, started)
    first = running.submit(["first"], bulk=False)
    assert gate.reached.wait(20)
    questions = [running.submit([index], bulk=False) for index in range(50)]
    bulk = running.submit(["bulk"], bulk=True)

    gate.opened.set()
    for answer in (first, bulk, *questions):
        answer.result(timeout=20)

    assert model.batches.index(["bulk"]) < 12


def test_texts_of_a_large_call_are_worked_on_by_length(started: list[Running]) -> None:
    model = Echo(batch_rows=2)

    start(model, started).submit(["long text", "s", "longer text", "xs"], bulk=True).result(timeout=20)

    assert model.batches == [["s", "xs"], ["long text", "longer text"]]


def test_one_bad_input_fails_its_own_caller_only(started: list[Running]) -> None:
    gate = Gate()

    def choosy(batch: Sequence[object]) -> None:
        gate(batch)
        if "bad" in batch:
            msg = "I do not like it"
            raise RuntimeError(msg)

    running = start(Echo(before=choosy), started)
    first = running.submit(["first"], bulk=False)
    assert gate.reached.wait(20)
    good, bad = running.submit(["good"], bulk=False), running.submit(["bad"], bulk=False)
    gate.opened.set()

    assert (first.result(timeout=20), good.result(timeout=20)) == (["echo:first"], ["echo:good"])
    with pytest.raises(ModelError, match=r"model echo failed \(reference [0-9a-f]{8}\)"):
        bad.result(timeout=20)


def test_the_thread_outlives_a_failure(started: list[Running]) -> None:
    def choosy(batch: Sequence[object]) -> None:
        if "bad" in batch:
            raise MemoryError

    running = start(Echo(before=choosy), started)
    with pytest.raises(ModelError):
        running.submit(["bad"], bulk=False).result(timeout=20)

    assert running.submit(["good"], bulk=False).result(timeout=20) == ["echo:good"]


def test_a_model_that_loses_an_output_is_told(started: list[Running]) -> None:
    class Short(Echo):
        def predict(self, batch: Sequence[object]) -> list[object]:
            return []

    with pytest.raises(ModelError, match="failed"):
        start(Short(), started).submit(["a"], bulk=False).result(timeout=20)


class Panic(BaseException):
    """As pyo3's PanicException, which Rust's tokenizers raise, is no Exception."""


def test_a_model_that_panics_fails_its_caller_and_goes_on(started: list[Running]) -> None:
    def panic(batch: Sequence[object]) -> None:
        if "bad" in batch:
            raise Panic

    running = start(Echo(before=panic), started)

    with pytest.raises(ModelError, match="failed"):
        running.submit(["bad"], bulk=False).result(timeout=20)
    assert running.submit(["good"], bulk=False).result(timeout=20) == ["echo:good"]


def test_a_load_that_fails_says_so_in_a_sentence() -> None:
    def load() -> Echo:
        msg = "no such file"
        raise OSError(msg)

    running = Running("echo", load)

    with pytest.raises(ModelError, match="failed"):
        running.start().result(timeout=20)
    running.close()


def test_what_was_cancelled_is_not_worked_on(started: list[Running]) -> None:
    gate = Gate()
    model = Echo(before=gate)
    running = start(model, started)
    first = running.submit(["first"], bulk=False)
    assert gate.reached.wait(20)
    dropped = running.submit(["dropped"], bulk=False)
    last = running.submit(["last"], bulk=False)

    assert dropped.cancel()
    gate.opened.set()
    first.result(timeout=20)
    last.result(timeout=20)

    assert model.batches == [["first"], ["last"]]


def test_closing_fails_what_waits_and_ends_what_is_worked_on() -> None:
    gate = Gate()
    model = Echo(before=gate)
    running = Running("echo", lambda: model)
    running.start().result(timeout=20)
    working = running.submit(["working"], bulk=False)
    assert gate.reached.wait(20)
    waiting = running.submit(["waiting"], bulk=False)

    closing = threading.Thread(target=running.close)
    closing.start()
    with pytest.raises(ModelError, match="unloaded"):
        waiting.result(timeout=20)
    gate.opened.set()
    closing.join(20)

    assert working.result(timeout=20) == ["echo:working"]
    assert model.closed
    with pytest.raises(ModelError, match="unloaded"):
        running.submit(["later"], bulk=False)


def test_two_workers_ask_the_model_at_once(started: list[Running]) -> None:
    both = threading.Barrier(2)
    running = start(Echo(workers=2, batch_rows=1, before=lambda _batch: both.wait(20) and None), started)

    answers = [running.submit([index], bulk=False) for index in range(2)]

    assert {tuple(answer.result(timeout=20)) for answer in answers} == {("echo:0",), ("echo:1",)}


def test_a_question_finds_a_worker_free_whatever_is_being_indexed(started: list[Running]) -> None:
    gate = Gate()

    class Reserving(Echo):
        bulk_workers = 1

    running = start(Reserving(workers=2, batch_rows=1, before=lambda batch: gate(batch) if "bulk" in batch else None), started)
    first, second = (running.submit(["bulk"], bulk=True) for _call in range(2))
    assert gate.reached.wait(20)

    for number in range(20):
        assert running.submit([number], bulk=False).result(timeout=20) == [f"echo:{number}"]
    assert not first.done()
    assert not second.done()
    gate.opened.set()
    assert first.result(timeout=20) == second.result(timeout=20) == ["echo:bulk"]


def test_a_slice_of_bulk_work_is_no_heavier_than_its_time_allows(started: list[Running], monkeypatch: pytest.MonkeyPatch) -> None:
    model = Echo(batch_rows=4)
    running = start(model, started)
    monkeypatch.setattr(running, "_bulk_weight", lambda: 30.0)

    running.submit(["a" * 40, "b" * 40, "c" * 40, "d" * 500], bulk=True).result(timeout=20)

    assert [len(batch) for batch in model.batches] == [2, 1, 1]


def test_text_in_bulk_is_not_sliced_finer_than_the_model_wants(started: list[Running], monkeypatch: pytest.MonkeyPatch) -> None:
    class Coarse(Echo):
        slice_weight = 1000

    model = Coarse(batch_rows=4)
    running = start(model, started)
    monkeypatch.setattr(running, "_unit_ms", 1e9)  # a machine that is very busy just now

    running.submit(["text"] * 4, bulk=True).result(timeout=20)

    assert [len(batch) for batch in model.batches] == [4]


def test_a_slice_that_was_slow_once_does_not_make_the_next_smaller(started: list[Running]) -> None:
    running = start(Echo(batch_rows=4), started)
    running.submit(["text"], bulk=True).result(timeout=20)
    before = running._bulk_weight()

    call = Call(["text"], range(1), bulk=True, weights=[3])
    running._adapt([Piece(call, 0, 1)], spent_ms=60_000)

    assert running._bulk_weight() == before


def test_bulk_work_goes_by_the_weight_that_the_model_gives(started: list[Running], monkeypatch: pytest.MonkeyPatch) -> None:
    class Scales(Echo):
        def weigh(self, batch: Sequence[object]) -> list[int]:
            return [int(str(text).strip()) for text in batch]

    model = Scales(batch_rows=4)
    running = start(model, started)
    monkeypatch.setattr(running, "_bulk_weight", lambda: 10.0)

    answers = running.submit(["9", " 2", "       1", "  3", "    40"], bulk=True).result(timeout=20)

    assert answers == ["echo:9", "echo: 2", "echo:       1", "echo:  3", "echo:    40"]
    assert model.batches == [["       1", " 2", "  3"], ["9"], ["    40"]]


def test_what_cannot_be_weighed_is_worked_on_all_the_same(started: list[Running]) -> None:
    class Broken(Echo):
        def weigh(self, batch: Sequence[object]) -> list[int]:
            raise RuntimeError

    assert start(Broken(), started).submit(["b", "a"], bulk=True).result(timeout=20) == ["echo:b", "echo:a"]


def test_a_call_that_is_being_weighed_when_the_model_is_unloaded_fails() -> None:
    gate = Gate()

    class Slow(Echo):
        def weigh(self, batch: Sequence[object]) -> list[int]:
            gate(batch)
            return [1] * len(batch)

    running = Running("echo", Slow)
    running.start().result(timeout=20)
    answer = running.submit(["a"], bulk=True)
    assert gate.reached.wait(20)
    closing = threading.Thread(target=running.close)
    closing.start()
    while not running._closing:  # `close` says so before it waits for the thread
        pass
    gate.opened.set()

    with pytest.raises(ModelError, match="unloaded"):
        answer.result(timeout=20)
    closing.join(20)
