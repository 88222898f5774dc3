"""People who come, go, say, change, delete, forget and ask, in any order; and an oracle that knows who may read what.

Owns the steps and what is looked at after each. Leaves the bot to `benchmarks.access_house`. Every passage holds a word of its own, a canary;
no answer, button, source, error or log line may hold one that its reader may not read, nor any count tell of it.

    TheRule.searches = 0
    run_state_machine_as_test(TheRule, settings=settings(max_examples=40, stateful_step_count=50))
"""

from __future__ import annotations

import asyncio
import itertools
import re
import tempfile
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from benchmarks.access_house import EMBEDDERS, House
from bot.errors import InputError
from bot.message import PRIVATELY, Address, Attachment, Button, Command, Message, Press, Reply, pack
from bot.passage import PUBLIC, Scope
from bot.retrieval.access import BELIEVED_S

T = TypeVar("T")
PEOPLE = ("ann", "ben", "cy")
GROUPS = (
    Address("alpha", "a", "g1", kind="group"), Address("alpha", "a", "g2", kind="group"), Address("beta", "b", "g1", kind="group"),
)  # fmt: skip
CHANNELS = (("alpha", "a"), ("beta", "b"))
OFFICE = Scope("workspace", "beta/b")
"""beta's g1 lies in it: all its readers are in the office as well."""
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
CANARY = re.compile(r"canary\d+x")
EVERYBODY_EVERY = 8
"""Steps after which everybody is asked for, everywhere."""
WORDS = "the secret word of everybody here is"
QUESTIONS = ("what is the secret word of everybody here?", "secret word", "everybody here", "비밀 secret 단어 everybody")

person, group, channel = st.sampled_from(PEOPLE), st.sampled_from(range(len(GROUPS))), st.sampled_from(CHANNELS)


@dataclass
class Oracle:
    """Who is where, what was said where, and so who may read what."""

    members: dict[Scope, set[str]] = field(default_factory=dict)
    kept: dict[tuple[Scope, str], tuple[str, str]] = field(default_factory=dict)
    """(scope, key) to (canary, who brought it)."""

    def readable(self, who: str, at: Address) -> set[str]:
        """Return the canaries that may be told to `who` at `at`."""
        here, account = Scope.of(at), f"{at.channel}/{at.account}"
        scopes = {here, PUBLIC} | ({OFFICE} if at == GROUPS[2] else set())
        if at.kind == "direct":
            shared = {scope for scope, people in self.members.items() if who in people}
            scopes |= {scope for scope in shared if f"{scope.path}/".startswith(f"{account}/")}
        return {canary for (scope, _key), (canary, _by) in self.kept.items() if scope in scopes}

    def forget(self, scope: Scope, *, by: str | None = None, keys: set[str] | None = None) -> None:
        """Forget what `by` brought there, under `keys`; None: all of it."""
        self.kept = {
            place: held for place, held in self.kept.items()
            if place[0] != scope or (by is not None and held[1] != by) or (keys is not None and place[1] not in keys)
        }  # fmt: skip


class TheRule(RuleBasedStateMachine):
    """Every search of any run tells its reader what they may read, and nothing else."""

    searches: ClassVar[int] = 0
    leaks: ClassVar[int] = 0
    steps: ClassVar[int] = 0

    def __init__(self) -> None:
        """Begin with an empty bot; everybody is in every group."""
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory(prefix="paring-access-")
        self.house = self.do(House.open(Path(self.folder.name)))
        self.oracle, self.numbers = Oracle(), itertools.count(1)
        self.turns = itertools.count()
        self.asked: dict[str, set[str]] = {who: set() for who in PEOPLE}
        self.canaries: list[str] = []
        self.said: list[Message] = []
        self.shown: list[tuple[Message, Reply]] = []
        self.house.platforms["beta"].inside = {"g1"}
        for scope in (*map(Scope.of, GROUPS), OFFICE):
            self.join_all(scope)

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Run `work` to its end."""
        return self.runner.run(work)

    def join_all(self, scope: Scope) -> None:
        """Let everybody be in `scope`."""
        self.oracle.members[scope] = set(PEOPLE)
        self.house.platforms[scope.path.partition("/")[0]].members[scope] = self.oracle.members[scope]

    @initialize()
    def index_on(self) -> None:
        """Have the groups' messages searchable."""
        for at in GROUPS:
            self.do(self.house.chats.set_indexing(at, on=True))

    # ------------------------------------------------------------------ people come and go

    @rule(who=person, where=group, told=st.booleans())
    def leave(self, who: str, where: int, *, told: bool) -> None:
        """Leave a group; where the platform does not tell, a minute passes."""
        self._members(where).discard(who)
        self._news(where, who, told=told)

    @rule(who=person, where=group, told=st.booleans())
    def join(self, who: str, where: int, *, told: bool) -> None:
        """Join a group."""
        self._members(where).add(who)
        self._news(where, who, told=told)

    @rule(who=person, inside=st.booleans())
    def change_office(self, who: str, *, inside: bool) -> None:
        """Come to the workspace or leave it; of its group no less."""
        (self.oracle.members[OFFICE].add if inside else self.oracle.members[OFFICE].discard)(who)
        if not inside:
            self.leave(who, 2, told=True)
        self.house.access.changed(OFFICE, who)

    @rule(where=group)
    def put_the_bot_out(self, where: int) -> None:
        """Let the bot know nobody in a group any more."""
        self._members(where).clear()
        self._news(where, "", told=True)

    def _members(self, where: int) -> set[str]:
        return self.oracle.members[Scope.of(GROUPS[where])]

    def _news(self, where: int, who: str, *, told: bool) -> None:
        if told:
            self.house.reception.members_changed(GROUPS[where], who)
        else:
            self.house.now += BELIEVED_S + 1

    # ------------------------------------------------------------------ what is said and brought

    @rule(who=person, where=group)
    def post(self, who: str, where: int) -> None:
        """Say something in a group that is not meant for the bot."""
        canary = self._canary()
        message = self._message(f"{WORDS} {canary}", GROUPS[where], who, addressed=False)
        self._keep(message, canary)

    @rule(which=st.integers(0, 99))
    def edit(self, which: int) -> None:
        """Change what was said."""
        if self.said:
            canary, former = self._canary(), self.said[which % len(self.said)]
            now = replace(former, text=f"{WORDS} {canary}", version=former.version + 1, sent_at=former.sent_at)
            self.said = [now if one.id == former.id else one for one in self.said]
            self._keep(now, canary, new=False)

    @rule(which=st.integers(0, 99))
    def delete(self, which: int) -> None:
        """Delete a message: its platform told so."""
        if self.said:
            gone = self.said[which % len(self.said)]
            self.do(self.house.library.remove(Scope.of(gone.address), key=f"message:{gone.id}"))
            self.oracle.forget(Scope.of(gone.address), keys={f"message:{gone.id}"})

    @rule(who=person, on=channel)
    def send_a_file(self, who: str, on: tuple[str, str]) -> None:
        """Send the bot a document, alone with it; the same name again replaces it."""
        canary, name = self._canary(), f"{who}.txt"
        content = f"{WORDS} {canary}".encode()
        file = Attachment("document", name, "text/plain", len(content), blob=self.house.blobs.keep(content))
        self._look(self._message("", _alone(who, on), who, attachments=(file,)))
        self.oracle.kept[Scope.of(_alone(who, on)), f"file:{name}"] = canary, who

    @rule(where=st.sampled_from((PUBLIC, OFFICE)), key=st.sampled_from("ab"))
    def publish(self, where: Scope, key: str) -> None:
        """Let an admin add a document for many."""
        canary = self._canary()
        self.do(self.house.library.add_text(f"{WORDS} {canary}", where, title=key, link="", key=key))
        self.oracle.kept[where, key] = canary, ""

    def _canary(self) -> str:
        self.canaries.append(f"canary{next(self.numbers)}x")
        return self.canaries[-1]

    def _keep(self, message: Message, canary: str, *, new: bool = True) -> None:
        assert self.do(self.house.hear(message)) == []
        self.said += [message] if new else []
        self.oracle.kept[Scope.of(message.address), f"message:{message.id}"] = canary, message.sender

    # ------------------------------------------------------------------ forgetting

    @rule(who=person, where=group)
    def forget_in_a_group(self, who: str, where: int) -> None:
        """Have forgotten what one said there."""
        self._look(self._message("/forget", GROUPS[where], who))
        self.oracle.forget(Scope.of(GROUPS[where]), by=who)

    @rule(who=person, on=channel, everywhere=st.booleans())
    def forget_alone(self, who: str, on: tuple[str, str], *, everywhere: bool) -> None:
        """Have forgotten what lies in one's own chat, or all of one's own."""
        self._look(self._message("/forget everything" if everywhere else "/forget", _alone(who, on), who))
        self.oracle.forget(Scope.of(_alone(who, on)))
        for at in GROUPS if everywhere else ():
            if (at.channel, at.account) == on:
                self.oracle.forget(Scope.of(at), by=who)

    @rule(who=person, which=st.integers(0, 99))
    def forget_one(self, who: str, which: int) -> None:
        """Reply /forget to a message, one's own or not."""
        if self.said:
            one = self.said[which % len(self.said)]
            self._look(self._message("/forget", one.address, who, reply_to=one))
            self.oracle.forget(Scope.of(one.address), by=who, keys={f"message:{one.id}"})

    @rule(who=person, on=channel, name=person)
    def forget_a_document(self, who: str, on: tuple[str, str], name: str) -> None:
        """Have a document forgotten by its name, one's own or not."""
        self._look(self._message(f"/forget {name}.txt", _alone(who, on), who))
        self.oracle.forget(Scope.of(_alone(who, on)), keys={f"file:{name}.txt"})

    # ------------------------------------------------------------------ the index

    @rule()
    def rebuild(self) -> None:
        """Make the index anew, and a generation whole that is being built."""
        self.do(self.house.library.rebuild())

    @rule(name=st.sampled_from(EMBEDDERS))
    def wish(self, name: str) -> None:
        """Wish for another embedder, whose vectors are yet to be made."""
        self.do(self.house.library.changeover.wish(name, by="admin"))

    @rule()
    def go_on(self) -> None:
        """Do a piece of what was wished for; what is whole takes the live one's place."""
        self.do(self.house.library.changeover.step())

    @rule()
    def go_back(self) -> None:
        """Wish for the embedder that was live before, where there was one."""
        with suppress(InputError):
            self.do(self.house.library.changeover.roll_back(by="admin"))

    @rule()
    def restart(self) -> None:
        """Let the bot lose all that it held in memory."""
        self.do(self.house.restart())

    # ------------------------------------------------------------------ asking

    @rule(who=person, on=channel, question=st.sampled_from(QUESTIONS), guess=st.integers(0, 30))
    def ask_alone(self, who: str, on: tuple[str, str], question: str, guess: int) -> None:
        """Ask in one's own chat, in words that all share and for one word alone."""
        self._ask(question, guess, _alone(who, on), who)

    @rule(who=person, where=group, question=st.sampled_from(QUESTIONS), guess=st.integers(0, 30))
    def ask_in_a_group(self, who: str, where: int, question: str, guess: int) -> None:
        """Ask in a group."""
        self._ask(question, guess, GROUPS[where], who)

    @rule(which=st.integers(0, 99), button=st.integers(0, 9), by=person)
    def press(self, which: int, button: int, by: str) -> None:
        """Press a button of an old answer, one's own or somebody else's."""
        shown = [(message, reply.buttons) for message, reply in self.shown[-20:] if reply.buttons]
        if shown:
            about, buttons = shown[which % len(shown)]
            self._press(about, buttons[button % len(buttons)], by)

    @rule(who=person, where=group, name=st.sampled_from(("why", "privacy", "index", "forget nothing.txt", "search")))
    def command(self, who: str, where: int, name: str) -> None:
        """Order what tells of the bot itself."""
        self._look(self._message(f"/{name}", GROUPS[where], who))

    @invariant()
    def nothing_is_logged(self) -> None:
        """No log line holds anybody's words."""
        self._no_leak(self.house.log.getvalue(), set(), "the log")

    @invariant()
    def somebody_asks(self) -> None:
        """After each step one person asks, in turn: alone on one of the channels, or in a group."""
        turn = next(self.turns)
        TheRule.steps += 1
        who = PEOPLE[turn % len(PEOPLE)]
        places = (*(_alone(who, on) for on in CHANNELS), *GROUPS)
        self._ask(QUESTIONS[turn % len(QUESTIONS)], turn % 7, places[turn % len(places)], who)
        if turn % EVERYBODY_EVERY == 0:
            for who in PEOPLE:
                for at in (*(_alone(who, on) for on in CHANNELS), *GROUPS):
                    self._counted(at, who)

    def _ask(self, question: str, guess: int, at: Address, who: str) -> None:
        canary = self.canaries[-1 - guess] if guess < len(self.canaries) else "canary0x"
        for text in (question, f"{WORDS} {canary}"):
            self.asked[who].update(CANARY.findall(text))
            self._look(self._message(f"/search {text}", at, who))
        self._counted(at, who)

    def _counted(self, at: Address, who: str) -> None:
        """Look that both legs know as many passages as may be read, and no more."""
        asked = self._message("secret word of everybody", at, who)
        scopes = self.do(self.house.access.scopes_of(asked))
        allowed = len(self.oracle.readable(who, at))
        for leg in ("words", "fused"):
            found = self.do(self.house.library.rank(asked.text, scopes, count=200, leg=leg))  # type: ignore[arg-type]  # one of the legs
            assert len(found.ids) == allowed, f"{leg}: {len(found.ids)} passages of {allowed}"
            TheRule.searches += 1
        hits = self.do(self.house.library.search(asked.text, scopes, k=20))
        self._no_leak(repr(hits), self.oracle.readable(who, at), "what is found")
        TheRule.searches += 1

    def _look(self, message: Message) -> None:
        """Have a message answered; look at all that comes of it."""
        may_read = self.oracle.readable(message.sender, message.address)
        if message.command == Command("why"):
            may_read |= self.asked[message.sender]  # it repeats one's own question
        for reply in self.do(self.house.hear(message)):
            self._no_leak(pack(reply), may_read, f"the answer to {message.text} in {message.address.chat}")
            assert len(reply.sources) <= len(may_read)
            self.shown.append((message, reply))
        TheRule.searches += bool(message.command and message.command.name == "search")

    def _press(self, about: Message, button: Button, by: str) -> None:
        alone = _alone(by, (about.address.channel, about.address.account))
        number = next(self.numbers)
        press = Press(about.address, by, str(number), button.token, "en", NOON + timedelta(seconds=number), alone=alone)
        privately = button.command.args == PRIVATELY
        may_read = self.oracle.readable(by, alone if privately else about.address)
        may_read |= self.asked[by] if privately else set()  # it repeats one's own question
        for reply in self.do(self.house.hear(press)):
            self._no_leak(pack(reply), may_read, f"the answer to a press of {button.label}")
        TheRule.searches += 1

    def _no_leak(self, told: str, may_read: set[str], where: str) -> None:
        leaked = set(CANARY.findall(told)) - may_read
        TheRule.leaks += bool(leaked)
        assert not leaked, f"{where} tells {sorted(leaked)}"

    def _message(
        self, text: str, at: Address, who: str, *, addressed: bool = True, attachments: tuple[Attachment, ...] = (),
        reply_to: Message | None = None,
    ) -> Message:  # fmt: skip
        number = next(self.numbers)
        name, _space, args = text.removeprefix("/").partition(" ")
        return Message(
            at, who, f"m{number}", text, "en", NOON + timedelta(seconds=number), sender_name=who.title(), attachments=attachments,
            reply_to=reply_to, command=Command(name, args) if text.startswith("/") else None, addressed=addressed,
        )  # fmt: skip

    def teardown(self) -> None:
        """Have everybody forget everything; nothing of it is left in any file."""
        for who in PEOPLE:
            for on in CHANNELS:
                self._look(self._message("/forget everything", _alone(who, on), who))
                self.oracle.forget(Scope.of(_alone(who, on)))
        for scope in (PUBLIC, OFFICE):
            self.do(self.house.library.forget(scope))
        self._look(self._message("/forget", _alone("ann", CHANNELS[0]), "ann"))
        left = [path.name for path in Path(self.folder.name).rglob("*") if path.is_file() and b"canary" in path.read_bytes()]
        self.do(self.house.close())
        self.runner.close()
        self.folder.cleanup()
        assert not left, f"canaries are left in {left}"


def _alone(who: str, on: tuple[str, str]) -> Address:
    return Address(*on, who)
