import pytest

from bot.channels.telegram_members import EVERYBODY, came_or_left, is_member

GROUP = {"id": -100, "type": "supergroup", "title": "Team"}


@pytest.mark.parametrize("status", ["creator", "administrator", "member"])
def test_who_is_in_a_group_is_a_member(status: str) -> None:
    assert is_member({"user": {"id": 5}, "status": status})


@pytest.mark.parametrize(
    "told",
    [
        {"status": "left"}, {"status": "kicked"}, {"status": "restricted"}, {"status": "restricted", "is_member": False},
        {"status": "restricted", "is_member": 1}, {"status": "something new"}, {}, None, "member", ["member"],
    ],
)  # fmt: skip
def test_who_is_not_plainly_in_it_is_none(told: object) -> None:
    assert not is_member(told)


def test_one_who_is_restricted_and_in_it_is_a_member() -> None:
    assert is_member({"status": "restricted", "is_member": True})


def test_a_change_of_a_member_names_the_person() -> None:
    change = {"chat": GROUP, "from": {"id": 1}, "new_chat_member": {"user": {"id": 5}, "status": "left"}}
    assert came_or_left({"update_id": 1, "chat_member": change}) == ("-100", ("5",))


def test_a_change_of_the_bot_itself_is_one_of_everybody() -> None:
    change = {"chat": GROUP, "new_chat_member": {"user": {"id": 7}, "status": "kicked"}}
    assert came_or_left({"update_id": 1, "my_chat_member": change}) == ("-100", (EVERYBODY,))


def test_service_messages_of_joins_and_leaves_name_the_people() -> None:
    left = {"message_id": 1, "chat": GROUP, "left_chat_member": {"id": 5}}
    came = {"message_id": 2, "chat": GROUP, "new_chat_members": [{"id": 6}, {"id": 8}]}
    assert came_or_left({"update_id": 1, "message": left}) == ("-100", ("5",))
    assert came_or_left({"update_id": 2, "message": came}) == ("-100", ("6", "8"))


def test_a_change_that_cannot_be_read_is_one_of_everybody() -> None:
    assert came_or_left({"update_id": 1, "chat_member": {"chat": GROUP, "new_chat_member": "?"}}) == ("-100", (EVERYBODY,))


def test_what_people_say_changes_no_member() -> None:
    assert came_or_left({"update_id": 1, "message": {"message_id": 1, "chat": GROUP, "text": "I left"}}) is None
