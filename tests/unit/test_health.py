import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace

import aiohttp
import pytest
from fakes.channel import FakeChannel
from fakes.prometheus import read

from bot.channels.health_port import listening
from bot.duty import Duty
from bot.errors import AmbiguousSendError, GoneError, InputError, RetryLaterError, StoreError
from bot.health import CONNECTED_WITHIN_S, Health, House
from bot.health_counts import Counts
from bot.loop_watch import LoopWatch
from bot.metrics import Metrics
from bot.models.places import Heard
from bot.models.room import MemoryRow
from bot.pulse import Pulse
from bot.retrieval.health import Status
from bot.store.database import Database
from bot.store.gauges import Gauges
from bot.store.inbox import Inbox
from bot.testing import make_message


class Beating(FakeChannel):
    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.pulse = Pulse(lambda: self.now)


class FakePool:
    def __init__(self) -> None:
        self.loaded = ["embed", "route"]
        self.memory = (100, 1000)

    def memory_rows(self) -> list[MemoryRow]:
        return [MemoryRow(slot, f"{slot}.v1@r", 50, 1.0, pinned=True, busy=False, idle_s=0.0) for slot in self.loaded]

    def live_models(self) -> dict[str, str]:
        return {slot: f"{slot}.v1@r" for slot in self.loaded}


class FakeShelves:
    async def status(self) -> Status:
        return Status(2, 10, 9, 1, 1, "embed.v1@r", 8, "embed.v1@r", 7, 4096)


class Bench:
    """A health whose parts a test breaks and mends."""

    def __init__(self, database: Database, home: Path) -> None:
        self.channel, self.pool, self.duty = Beating(), FakePool(), Duty(home)
        self.gauges = Gauges(database)
        self.now = 0.0
        house = House(home, self.gauges, FakeShelves(), self.pool, {"test": self.channel}, self.duty)  # type: ignore[arg-type]
        self.health = Health(house, Counts(Metrics()), LoopWatch(), clock=lambda: self.now)

    async def parts(self) -> dict[str, str]:
        self.now += 10  # what was found before is believed no more
        looked = await self.health.look("/readyz")
        assert looked is not None
        told = json.loads(looked.body)
        assert (looked.status, told["ready"]) in {(200, True), (503, False)}
        broken = {name: state for name, state in told["parts"].items() if state != "ok"}
        assert told["ready"] == (not broken)
        return broken

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        async with self.duty.of(self.channel, standing_by=lambda _name: None):
            self.channel.pulse.due(30)
            self.channel.pulse.reached()
            yield


@pytest.fixture
def bench(database: Database, tmp_path: Path) -> Bench:
    return Bench(database, tmp_path)


async def test_alive_asks_nothing_of_anybody(bench: Bench) -> None:
    looked = await bench.health.look("/healthz")
    assert looked is not None
    assert (looked.status, json.loads(looked.body)) == (200, {"ok": True})
    assert await bench.health.look("/else") is None


async def test_ready_is_who_can_answer_and_the_part_that_cannot_is_named(bench: Bench) -> None:
    assert await bench.parts() == {"test": "not running"}
    async with bench.serving():
        assert await bench.parts() == {}
        bench.pool.loaded = ["route"]
        assert await bench.parts() == {"models": "not loaded"}
        bench.pool.loaded = ["embed"]
        bench.channel.pulse.lost()
        assert await bench.parts() == {"test": "not connected"}
        bench.channel.pulse.reached()
        bench.channel.now += 31
        assert await bench.parts() == {"test": "stuck"}
        bench.channel.pulse.due(30)
        bench.channel.now += 29
        assert await bench.parts() == {}
        bench.channel.pulse.due(10 * CONNECTED_WITHIN_S)
        bench.channel.now += CONNECTED_WITHIN_S
        assert await bench.parts() == {"test": "not connected"}


async def test_a_bot_that_stands_by_is_ready_to_take_over(bench: Bench, tmp_path: Path) -> None:
    bench.channel.post = "test bot"  # type: ignore[attr-defined]
    told = asyncio.Event()

    async def second() -> None:
        async with bench.duty.of(bench.channel, standing_by=lambda _name: told.set()):
            pass

    async with Duty(tmp_path).of(bench.channel, standing_by=lambda _name: None):
        waiting = asyncio.create_task(second())
        await told.wait()
        assert await bench.parts() == {}
        waiting.cancel()
        await asyncio.wait([waiting])
    assert await bench.parts() == {"test": "not running"}


async def test_a_database_that_cannot_be_written_makes_it_unready_until_it_can(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken: list[Exception | None] = [StoreError("The disk is full."), None]

    async def touch() -> None:
        if (error := broken.pop(0)) is not None:
            raise error

    monkeypatch.setattr(bench.gauges, "touch", touch)
    async with bench.serving():
        assert await bench.parts() == {"database": "not writable"}
        assert await bench.parts() == {}


async def test_a_database_that_does_not_answer_is_waited_for_so_long_only(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.health.WRITTEN_WITHIN_S", 0.0)
    monkeypatch.setattr(bench.gauges, "touch", asyncio.Event().wait)
    async with bench.serving():
        assert await bench.parts() == {"database": "too slow"}


async def test_who_asks_without_end_writes_nothing_without_end(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    async def touch() -> None:
        asked.append(1)

    monkeypatch.setattr(bench.gauges, "touch", touch)
    await asyncio.gather(*(bench.health.look("/readyz") for _time in range(50)))
    assert len(asked) == 1


async def test_a_disk_that_is_full_or_gone_is_told(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    async with bench.serving():
        monkeypatch.setattr("bot.health.shutil.disk_usage", lambda _path: SimpleNamespace(free=1 << 20))
        assert await bench.parts() == {"disk": "full"}


async def numbers(bench: Bench) -> dict:
    await bench.health.text()
    await bench.health.indexed()  # it is counted beside the first scrape
    return read(await bench.health.text())


async def test_the_numbers_tell_of_queues_models_index_and_channels(bench: Bench, database: Database) -> None:
    inbox = Inbox(database)
    await inbox.accept(make_message("one", id="1"))
    dead = await inbox.accept(make_message("two", id="2"))
    assert dead is not None
    await inbox.set_aside(dead, "it broke", reference="a91f00")
    async with bench.serving():
        found = await numbers(bench)
    assert found["paring_queue_length"].of(queue="inbox", state="waiting") == 1
    assert found["paring_queue_length"].of(queue="inbox", state="dead") == 1
    assert 0 <= found["paring_queue_age_seconds"].of(queue="inbox") < 600
    assert found["paring_queue_age_seconds"].of(queue="outbox") == 0
    assert found["paring_model_memory_bytes"].of(slot="embed", model="embed.v1@r") == 50 << 20
    assert found["paring_model_live"].of(slot="embed", model="embed.v1@r") == 1
    assert found["paring_channel_up"].of(channel="test") == 1
    assert found["paring_index_passages"].of(where="database") == 10
    assert found["paring_index_drift"].of() == 3
    assert found["process_resident_memory_bytes"].of() > 0
    assert found["paring_disk_free_bytes"].of() > 0


async def test_what_is_counted_holds_nothing_of_people(bench: Bench) -> None:
    counts, said = bench.health.counts, make_message("what Ann wrote", id="canary", sender="ann-canary")
    for error in (InputError("what Ann wrote"), ValueError("what Ann wrote"), asyncio.CancelledError()):
        counts.heard(said, error, 0.1)
    counts.answered("test", "search", 0.2, {"embed": 12.0, "index": 3.0})
    counts.asked(Heard("embed", "m", ["what Ann wrote"], [1], 12.0, bulk=False))
    counts.asked(Heard("embed", "m", ["what Ann wrote"], None, 12.0, bulk=False))
    for sent in (None, RetryLaterError("429", retry_after_s=1, asked=True), AmbiguousSendError("?"), GoneError("no")):
        counts.sent("test", sent)
    text = await bench.health.text()
    found = read(text)
    channel = said.address.channel
    outcomes = ("told", "broken", "stopped")
    assert [found["paring_messages_total"].of(channel=channel, outcome=outcome) for outcome in outcomes] == [1, 1, 1]
    assert found["paring_errors_total"].of(**{"class": "ValueError"}) == 1
    assert found["paring_stage_seconds"].of("_sum", skill="search", stage="embed") == pytest.approx(0.012)
    assert found["paring_answer_lately_seconds"].of(skill="search", quantile="0.95") == 0.2
    assert found["paring_model_failures_total"].of(slot="embed") == 1
    assert [
        found["paring_sends_total"].of(channel="test", outcome=outcome)
        for outcome in ("sent", "told_to_wait", "in_doubt", "gone")
    ] == [1, 1, 1, 1]
    assert "Ann" not in text
    assert "canary" not in text


async def test_on_a_port_of_its_own_it_is_told_to_this_machine(bench: Bench) -> None:
    async with bench.serving(), listening(0, bench.health) as port, aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        async with session.get("/readyz") as answer:
            assert (answer.status, (await answer.json())["ready"]) == (200, True)
        async with session.get("/metrics?x=1") as answer:
            assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
            assert read(await answer.text())
        async with session.head("/healthz") as answer:
            assert (answer.status, await answer.text()) == (200, "")
        for method, path, host, status in (
            ("GET", "/", "127.0.0.1", 404),
            ("POST", "/metrics", "127.0.0.1", 405),
            ("GET", "/metrics", "evil.example", 421),
            ("GET", "/metrics", "", 421),
        ):
            async with session.request(method, path, headers={"Host": host}) as answer:
                assert answer.status == status, (method, path, host)


async def test_garbage_on_its_port_ends_in_nothing_but_its_own_connection(bench: Bench) -> None:
    async with listening(0, bench.health) as port:
        for garbage in (b"\r\n\r\n", b"GET\r\n\r\n", b"\xff" * 20000, b"GET /healthz HTTP/1.1\r\nHost: [::1\r\n\r\n"):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(garbage)
            writer.write_eof()
            answer = await reader.read()
            assert answer == b"" or answer.startswith((b"HTTP/1.1 4", b"HTTP/1.1 2"))
            writer.close()
        async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/healthz") as answer:
            assert answer.status == 200
