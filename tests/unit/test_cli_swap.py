"""The admin verbs in the command line: the same orders as in a chat, for scripts and for who sits at a terminal."""

import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from fakes.swapping import figures

from bot import cli_swap
from bot.cli import cli
from bot.cli_errors import UsageError
from bot.errors import ParingError
from bot.models.fetch import Place
from bot.models.trial import Figures

Paring = Callable[..., tuple[int, str, str]]


@pytest.fixture
def scores() -> dict[str, float]:
    """How well each model is taken to answer, by its name; 0.9 for what is not named."""
    return {}


@pytest.fixture
def paring(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], scores: dict[str, float]) -> Paring:
    """Run a command line in this process; a trial is not made but taken from `scores`."""

    async def tried(settings: object, place: Place, *, embedder: object, report: Callable[..., Awaitable[None]]) -> Figures:
        return figures(place.spec.identity, score=scores.get(place.spec.name, 0.9))

    monkeypatch.setattr("bot.swapping._probed", tried)

    def run(*words: str) -> tuple[int, str, str]:
        code = cli(list(words), prog_name="paring", standalone_mode=False) or 0
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_a_swap_from_its_card_to_the_way_back(paring: Paring) -> None:
    code, out, err = paring("swap", "summarise", "lexrank")
    assert (code, "lexrank" in out, "Swap 1 waits" in err) == (0, True, True)
    code, out, _err = paring("swap", "summarise", "lexrank", "--promote", "--json")
    told = json.loads(out)
    assert (code, told["outcome"], told["swap"]["state"], told["swap"]["by"]) == (0, "done", "watched", "terminal")
    assert told["card"]["new"]["model"] == told["swap"]["model"]
    assert "summarise.lexrank.v1" in paring("models", "--json")[1]
    code, out, _err = paring("rollback", "summarise")
    assert (code, "summarise is back at summarise.extract.v1" in out) == (0, True)
    _code, out, _err = paring("audit", "10", "--json")
    rows = [(row["who"], row["command"], row["outcome"]) for row in json.loads(out)]
    assert ("terminal", "paring rollback summarise", "done") in rows
    assert ("terminal", "paring promote 2", "done") in rows


def test_what_does_not_pass_is_exit_code_1_and_a_reason_makes_it_live(paring: Paring, scores: dict[str, float]) -> None:
    scores["summarise.lead.v1"] = 0.1
    code, out, _err = paring("swap", "summarise", "lead", "--promote")
    assert (code, "does not pass" in out) == (1, True)
    assert 'paring swap summarise summarise.lead.v1 --force "…"' in out, "it is told as it is typed here"
    code, out, _err = paring("swap", "summarise", "lead", "--force", "to compare", "--json")
    told = json.loads(out)
    assert (code, told["swap"]["state"], told["swap"]["reason"]) == (0, "watched", "to compare")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("swap",), "Which slot"),
        (("swap", "sumarise", "lead"), "Did you mean summarise"),
        (("swap", "summarise", "leed"), "Did you mean summarise.lead.v1"),
        (("rollback",), "nothing to go back to"),
        (("shadow", "summarise"), "Which model"),
    ],
)
def test_what_is_not_clear_is_told_with_exit_code_2(paring: Paring, words: tuple[str, ...], said: str) -> None:
    code, out, _err = paring(*words)
    assert (code, said in out) == (2, True)


@pytest.mark.parametrize("words", [("audit", "many"), ("swap", "a", "b", "c"), ("shadow", "summarise", "lead", "0")])
def test_a_wrong_command_line_is_a_usage_error(paring: Paring, words: tuple[str, ...]) -> None:
    with pytest.raises(UsageError):
        paring(*words)


@pytest.mark.parametrize(("typed", "state"), [("p", "watched"), ("d", "discarded"), ("s", "shadowing"), ("", "reported")])
def test_on_a_terminal_one_is_asked(paring: Paring, monkeypatch: pytest.MonkeyPatch, typed: str, state: str) -> None:
    asked: list[str] = []
    monkeypatch.setattr(cli_swap, "_asks", lambda: True)
    monkeypatch.setattr("bot.channels.console_input.read_line", lambda prompt: asked.append(prompt) or typed)
    code, _out, _err = paring("swap", "summarise", "lexrank")
    assert (code, "[p]romote" in asked[0]) == (0, True)
    _code, out, _err = paring("card", "1", "--json")
    assert json.loads(out)["swap"]["state"] == state


def test_a_card_that_waits_is_decided_on_later(paring: Paring, monkeypatch: pytest.MonkeyPatch) -> None:
    typed = iter(["", "s", "d"])
    asked: list[str] = []
    monkeypatch.setattr(cli_swap, "_asks", lambda: True)
    monkeypatch.setattr("bot.channels.console_input.read_line", lambda prompt: asked.append(prompt) or next(typed))
    paring("swap", "summarise", "lexrank")
    assert "In the shadow" in paring("card")[1]
    assert "Discarded" in paring("card", "1")[1]
    assert ("[p]romote" in asked[1], asked[2].startswith("[d]iscard")) == (True, True)
    paring("card", "1")
    assert len(asked) == 3, "nothing is left to be decided"


def test_what_does_not_pass_is_not_offered_on_the_terminal_either(
    paring: Paring, monkeypatch: pytest.MonkeyPatch, scores: dict[str, float]
) -> None:
    scores["summarise.lead.v1"] = 0.1
    asked: list[str] = []
    monkeypatch.setattr(cli_swap, "_asks", lambda: True)
    monkeypatch.setattr("bot.channels.console_input.read_line", lambda prompt: asked.append(prompt) or "p")
    code, out, _err = paring("swap", "summarise", "lead")
    assert (code, asked[0].startswith("[s]hadow 50, [d]iscard, or Enter"), "Nothing was changed" in out) == (1, True, True)


def test_the_memory_the_audit_and_the_admins_are_told(paring: Paring) -> None:
    memory = json.loads(paring("ram", "--json")[1])
    assert {"taken_mb", "budget_mb", "process_mb", "machine_mb", "slots"} <= set(memory)
    assert "Memory" in paring("ram")[1]
    assert "telegram:4711 is an admin" in paring("admins", "add", "telegram:4711")[1]
    assert json.loads(paring("admins", "--json")[1])["added"][0]["person"] == "telegram:4711"
    assert "no admin any more" in paring("admins", "remove", "telegram:4711")[1]
    told = paring("audit")[1]
    assert re.search(r"terminal · paring admins add telegram:4711 · done", told)


@pytest.mark.parametrize(
    ("words", "english", "korean"),
    [
        (("card", "99"), "There is no swap 99. paring models shows", "99번 교체는 없어요. paring models 로"),
        (("admins", "add"), "paring admins remove CHANNEL:USER", "paring admins remove 채널:사용자"),
        (("guests", "remove"), "such as paring guests remove telegram:4711", "예: paring guests 삭제 telegram:4711"),
        (("dead", "replay"), "Write paring dead, paring dead replay REF", "paring dead, paring dead replay 참조"),
        (("admit", "here"), "or, in a group, /admit here", "그룹에서는 /들이기 여기"),
    ],
)
def test_a_refusal_names_the_verbs_of_the_terminal(paring: Paring, words: tuple[str, ...], english: str, korean: str) -> None:
    with pytest.raises(ParingError) as refusal:
        paring(*words)
    assert english in refusal.value.sentence("en")
    assert korean in refusal.value.sentence("ko")


def test_who_makes_the_vectors_of_another_embedder_is_told(paring: Paring, tmp_path: Path) -> None:
    (tmp_path / "plan.md").write_text("the plan is blue", encoding="utf-8")
    paring("add", str(tmp_path / "plan.md"))
    assert "`paring run` does it in the background; `--wait`" in paring("index", "use", "embed.static.v1")[2]
    assert "in the background" not in paring("index", "use", "embed.static.v1", "--wait")[2]
    assert "in the background" not in paring("index", "rollback")[2]


def test_who_is_put_out_and_stays_an_admin_is_told_so(paring: Paring, monkeypatch: pytest.MonkeyPatch) -> None:
    paring("admit", "telegram:4711", "--admin")
    told = paring("guests", "remove", "telegram:4711")[1]
    assert "paring admins remove telegram:4711 takes that back" in re.sub(r"\s+", " ", told)
    paring("admins", "remove", "telegram:4711")
    paring("admit", "telegram:4711")
    assert "nothing that they write from now on is read" in re.sub(r"\s+", " ", paring("guests", "remove", "telegram:4711")[1])
    for name, value, why in (
        ("PARING_FRONT_DOOR", "everybody", "Everybody may, by the settings"),
        ("PARING_TELEGRAM__ALLOWED_USERS", "4711", "the lists of the settings name them"),
    ):
        with monkeypatch.context() as patched:
            patched.setenv(name, value)
            paring("admit", "telegram:4711")
            assert why in re.sub(r"\s+", " ", paring("guests", "remove", "telegram:4711")[1])


def test_models_are_looked_for(paring: Paring, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    code, out, _err = paring("models", "search", "summarise:", "korean", "news")
    assert (code, "summarise.kobart-news.v1" in out) == (0, True)
