from bot.suspects import AFTER_S, AGAIN_S, ALONE_WITHIN_S, AT_ONCE, Suspects


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_what_died_with_the_bot_is_tried_again_ever_later() -> None:
    clock = Clock()
    suspects = Suspects(clock)
    suspects.begin()
    assert suspects.wait_s(1, 0) == 0.0
    assert (suspects.wait_s(1, 1), suspects.wait_s(2, 2)) == AFTER_S[1:]
    clock.now += AFTER_S[1]
    assert suspects.wait_s(1, 1) == 0.0


def test_a_few_of_what_died_once_are_tried_at_a_time_and_what_died_twice_alone() -> None:
    clock = Clock()
    suspects = Suspects(clock)
    suspects.begin()
    clock.now += AFTER_S[2]
    once, (twice, other) = range(AT_ONCE[1] + 1), (98, 99)
    assert [suspects.wait_s(number, 1) for number in once] == [*[0.0] * AT_ONCE[1], AGAIN_S]
    assert suspects.wait_s(0, 1) == 0.0
    suspects.over(0)
    assert (suspects.wait_s(twice, 2), suspects.wait_s(once[-1], 1)) == (AGAIN_S, 0.0)
    for number in once:
        suspects.over(number)
    assert (suspects.wait_s(twice, 2), suspects.wait_s(other, 2), suspects.wait_s(0, 1)) == (0.0, AGAIN_S, AGAIN_S)


def test_what_is_to_be_set_aside_is_so_at_once() -> None:
    suspects = Suspects(Clock())
    suspects.begin()
    assert suspects.wait_s(1, 3) == 0.0


def test_a_new_life_begins_anew() -> None:
    clock = Clock()
    suspects = Suspects(clock)
    clock.now += 60
    assert suspects.wait_s(1, 2) == 0.0
    suspects.begin()
    assert suspects.wait_s(1, 2) == AFTER_S[2]


def test_one_that_takes_minutes_holds_up_the_others_for_a_while_only() -> None:
    clock = Clock()
    suspects = Suspects(clock)
    suspects.begin()
    clock.now += AFTER_S[2]
    assert (suspects.wait_s(1, 2), suspects.wait_s(2, 2)) == (0.0, AGAIN_S)
    clock.now += ALONE_WITHIN_S
    assert (suspects.wait_s(2, 2), suspects.wait_s(3, 2)) == (0.0, AGAIN_S)
    suspects.over(2)
    assert suspects.wait_s(3, 2) == 0.0
