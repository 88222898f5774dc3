import pytest

from bot.progress import bar, rate


@pytest.mark.parametrize(
    ("passages", "seconds", "told"),
    [(0, 9.0, None), (30, 0.0, None), (30, 60.0, "30 passages, 0.5/s"), (12475, 100.0, "12,475 passages, 125/s")],
)
def test_the_rate_is_told_once_there_is_one(passages: int, seconds: float, told: str | None) -> None:
    said = rate(passages, seconds)
    assert (str(said) if said else None) == told


def test_the_rate_is_told_in_korean() -> None:
    said = rate(12475, 100.0)
    assert said is not None
    assert said.to("ko") == "글 12,475개, 초당 125개"


def test_nothing_is_drawn_where_stderr_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with bar(rate(1, 1.0) or pytest.fail("no words"), "en") as report:
        report("[a] plan.pdf", 0.5, 3, passages=9)
    assert capsys.readouterr() == ("", "")
