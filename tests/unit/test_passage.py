import pytest

from bot.errors import InputError
from bot.message import Address
from bot.passage import PUBLIC, Scope, Scopes

GROUP = Scope("group", "telegram/7/-100")


@pytest.mark.parametrize("text", ["public", "dm:web/local/me", "group:telegram/7/-100", "workspace:slack/T01", "dm:c/a/x/y"])
def test_a_scope_is_what_its_name_says(text: str) -> None:
    assert str(Scope.parse(text)) == text


@pytest.mark.parametrize(
    "text",
    ["", ":", "all", "dm", "dm:", "dm:web", "dm:web/local", "dm:web/local/", "dm:/local/me", "group:a//b", "workspace:slack",
     "workspace:slack/T/1", "workspace:/T", "public:x", "public:/", "*", "group:%"],
)  # fmt: skip
def test_what_names_no_audience_is_no_scope(text: str) -> None:
    with pytest.raises(InputError, match="no scope"):
        Scope.parse(text)
    kind, _colon, path = text.partition(":")
    if text != "public:":
        with pytest.raises(ValueError, match="a scope is"):
            Scope(kind, path)  # type: ignore[arg-type]


def test_an_account_cannot_pass_for_another_accounts_chat() -> None:
    with pytest.raises(ValueError, match="no slash"):
        Scope.of(Address("matrix", "a/b", "c"))


@pytest.mark.parametrize("scopes", [[], ["public"], "public", [PUBLIC, None], [PUBLIC, "group:telegram/7/-100"]])
def test_scopes_are_never_none_and_nothing_but_scopes(scopes: list[object]) -> None:
    with pytest.raises(ValueError, match="at least one Scope"):
        Scopes(scopes)  # type: ignore[arg-type]


def test_scopes_lie_within_others_that_hold_all_of_them() -> None:
    assert Scopes([PUBLIC]).within(Scopes([GROUP, PUBLIC]))
    assert not Scopes([GROUP, PUBLIC]).within(Scopes([PUBLIC]))


def test_a_scope_knows_its_chat() -> None:
    assert [scope.chat for scope in (GROUP, Scope("dm", "c/a/x/y"), Scope("workspace", "slack/T01"), PUBLIC)] == [
        "-100",
        "x/y",
        "",
        "",
    ]
