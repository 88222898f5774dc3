from bot.recent import Recent


def test_the_oldest_is_forgotten_first():
    recent: Recent[str, int] = Recent(most=2)
    recent["a"], recent["b"], recent["c"] = 1, 2, 3

    assert dict(recent) == {"b": 2, "c": 3}


def test_what_is_put_in_again_is_the_newest():
    recent: Recent[str, int] = Recent(most=2)
    recent["a"], recent["b"], recent["a"], recent["c"] = 1, 2, 3, 4

    assert dict(recent) == {"a": 3, "c": 4}


def test_what_is_put_in_by_default_counts_too():
    recent: Recent[str, int] = Recent(most=1)
    recent.setdefault("a", 1)
    recent.setdefault("b", 2)

    assert dict(recent) == {"b": 2}
