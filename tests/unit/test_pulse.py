from bot.pulse import Pulse


def test_a_word_that_is_not_kept_is_overdue() -> None:
    now = [0.0]
    pulse = Pulse(lambda: now[0])
    assert pulse.overdue_s == 0
    pulse.due(10)
    now[0] = 9.0
    assert pulse.overdue_s == 0
    now[0] = 12.0
    assert pulse.overdue_s == 2.0
    pulse.due(10)
    assert pulse.overdue_s == 0
    pulse.rest()
    now[0] = 1e6
    assert pulse.overdue_s == 0


def test_what_answered_lately_is_connected_and_who_rests_stays_so() -> None:
    now = [0.0]
    pulse = Pulse(lambda: now[0])
    assert (pulse.quiet_s, pulse.connected(60)) == (None, False)
    pulse.reached()
    pulse.due(30)
    now[0] = 61.0
    assert (pulse.quiet_s, pulse.connected(60)) == (61.0, False)
    pulse.rest()
    assert pulse.connected(60)
    pulse.lost()
    assert not pulse.connected(60)
