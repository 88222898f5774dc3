from __future__ import annotations

import asyncio

import pytest
from argon2 import PasswordHasher

from bot.channels.web_door import COOKIE_LIFE_S, FIRST_PAUSE_S, LONGEST_REST_S, MOST_WAITING, TRIES, Door, MemorySessions

PASSWORD = "correct horse"
HERE = "10.0.0.7"
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def door(clock: Clock) -> Door:
    return Door(PASSWORD, key=b"k" * 32, now=clock, hasher=QUICK)


async def test_the_right_password_opens_the_door(door: Door) -> None:
    admission = await door.enter(PASSWORD, address=HERE)
    assert admission.trouble is None
    assert await door.admits(admission.cookie)


async def test_a_wrong_password_is_told_and_gives_no_cookie(door: Door) -> None:
    admission = await door.enter("wrong", address=HERE)
    assert not admission.cookie
    assert admission.trouble is not None
    assert admission.trouble.to("ko") == "비밀번호가 맞지 않아요. 다시 입력해 주세요."


@pytest.mark.parametrize("password", ["", "\ud800", "x" * 100_000, "\0"])
async def test_a_password_of_any_shape_is_only_wrong(door: Door, password: str) -> None:
    assert not (await door.enter(password, address=HERE)).cookie


async def test_after_five_wrong_ones_even_the_right_one_waits(door: Door, clock: Clock) -> None:
    for _try in range(TRIES):
        await door.enter("wrong", address=HERE)
    refused = await door.enter(PASSWORD, address=HERE)
    assert not refused.cookie
    assert refused.trouble is not None
    assert "30 s" in str(refused.trouble)
    clock.now += FIRST_PAUSE_S + 1
    assert (await door.enter(PASSWORD, address=HERE)).cookie


async def test_each_further_wrong_one_doubles_the_pause(door: Door, clock: Clock) -> None:
    for _try in range(TRIES):
        await door.enter("wrong", address=HERE)
    clock.now += FIRST_PAUSE_S + 1
    await door.enter("wrong", address=HERE)
    clock.now += FIRST_PAUSE_S + 1
    assert not (await door.enter(PASSWORD, address=HERE)).cookie


async def test_one_address_does_not_shut_out_another(door: Door) -> None:
    for _try in range(TRIES):
        await door.enter("wrong", address=HERE)
    assert (await door.enter(PASSWORD, address="10.0.0.8")).cookie


async def test_a_cookie_runs_out(door: Door, clock: Clock) -> None:
    cookie = (await door.enter(PASSWORD, address=HERE)).cookie
    clock.now += COOKIE_LIFE_S + 1
    assert not await door.admits(cookie)


async def test_a_cookie_that_was_touched_is_none(door: Door) -> None:
    cookie = (await door.enter(PASSWORD, address=HERE)).cookie
    until, token, signature = cookie.split(".")
    assert await door.admits(cookie)
    assert not await door.admits(f"{int(until) + 1}.{token}.{signature}")
    assert not await door.admits(f"{until}.{token[:-1]}.{signature}")
    assert not await door.admits(f"{until}.{token}.{signature[:-1]}")
    assert not await door.admits(f"{until}.{signature}")
    assert not await door.admits(f"{until}..")


@pytest.mark.parametrize("cookie", ["", ".", "1.2", "²³.x", "99999999999.\ud800", "x" * 10_000])
async def test_garbage_is_no_cookie(door: Door, cookie: str) -> None:
    assert not await door.admits(cookie)


async def test_a_cookie_of_another_key_is_none(door: Door, clock: Clock) -> None:
    other = Door(PASSWORD, key=b"o" * 32, now=clock, hasher=QUICK)
    assert not await door.admits((await other.enter(PASSWORD, address=HERE)).cookie)


async def test_sessions_outlive_the_process_with_the_same_key(clock: Clock) -> None:
    kept = MemorySessions()
    first, second = (Door(PASSWORD, key=b"k" * 32, now=clock, hasher=QUICK, sessions=kept) for _start in range(2))
    assert await second.admits((await first.enter(PASSWORD, address=HERE)).cookie)


async def test_who_signs_out_is_out_here_and_in_what_stays_open_and_nobody_else_is(door: Door) -> None:
    mine, other = [(await door.enter(PASSWORD, address=HERE)).cookie for _visit in range(2)]
    with door.staying(mine) as ended, door.staying(other) as not_ended:
        await door.leave(mine)
        assert (ended.is_set(), not_ended.is_set()) == (True, False)
    assert (await door.admits(mine), await door.admits(other)) == (False, True)


async def test_no_two_sessions_are_alike(door: Door) -> None:
    assert len({(await door.enter(PASSWORD, address=HERE)).cookie for _visit in range(5)}) == 5


async def test_many_tries_at_once_are_no_more_than_one_after_the_other(door: Door) -> None:
    tried = await asyncio.gather(*(door.enter("wrong", address=HERE) for _try in range(MOST_WAITING)))
    assert sum("not right" in str(one.trouble) for one in tried) == TRIES


async def test_a_crowd_is_told_to_come_again_and_the_one_who_is_shut_out_takes_no_place_in_it(door: Door) -> None:
    tried = await asyncio.gather(*(door.enter("wrong", address=f"10.0.1.{number}") for number in range(MOST_WAITING + 5)))
    assert sum("too many people" in str(one.trouble).lower() for one in tried) == 5
    for _try in range(TRIES):
        await door.enter("wrong", address=HERE)
    assert all(one.wait_s > 1 for one in await asyncio.gather(*(door.enter("wrong", address=HERE) for _try in range(99))))


async def test_a_new_password_ends_the_sessions_of_the_old_one(door: Door, clock: Clock) -> None:
    cookie = (await door.enter(PASSWORD, address=HERE)).cookie
    assert not await Door("battery staple", key=b"k" * 32, now=clock, hasher=QUICK).admits(cookie)


@pytest.mark.parametrize(
    ("first", "second", "shut"),
    [
        ("2001:db8:1:2::7", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::7", "2001:db8:1:3::7", False),
        ("::ffff:10.0.0.7", "10.0.0.7", True),
        ("::ffff:10.0.0.7", "::ffff:10.0.0.8", False),
        ("fe80::1%eth0", "fe80::2%eth0", True),
    ],
)
async def test_a_machine_does_not_guess_on_from_its_other_addresses(door: Door, first: str, second: str, *, shut: bool) -> None:
    for _try in range(TRIES):
        await door.enter("wrong", address=first)
    assert ((await door.enter(PASSWORD, address=second)).cookie == "") is shut


async def test_without_a_password_the_door_stands_open() -> None:
    assert not Door().locked
    assert await Door().admits("")


def test_the_password_is_not_kept(door: Door) -> None:
    assert PASSWORD not in repr(vars(door))


async def test_guessing_takes_one_core_and_most_of_the_time_none() -> None:
    rests: list[float] = []

    async def rest(seconds: float) -> None:
        rests.append(seconds)

    class Slow:
        """Takes as long as it takes, and knows the one password."""

        def hash(self, password: str) -> str:
            return password

        def verify(self, hashed: str, password: str) -> bool:
            return hashed == password

    door = Door(PASSWORD, key=b"k" * 32, hasher=Slow(), rest=rest)  # type: ignore[arg-type]
    for number in range(20):
        assert not (await door.enter("wrong", address=f"10.0.0.{number}")).cookie
    assert (await door.enter(PASSWORD, address="10.0.1.1")).cookie

    assert len(rests) == 20
    assert all(0 < seconds <= LONGEST_REST_S for seconds in rests)
    assert Door(PASSWORD)._hasher.parallelism == 1
