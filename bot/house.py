"""The house's own commands: why a message went where it went, the language, privacy, forgetting, indexing.

Kept as an ordinary skill, though it belongs to the host: it is reached by its commands, and by who asks in words to delete a file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.errors import InputError
from bot.forgetting import file_to_forget
from bot.house_words import asks_what_is_kept, speaks
from bot.kept_talk import key_of, talk_of
from bot.locale import Language, Marked, Text, phrases
from bot.message import AttachmentKind, Button, Command, Message, Reply
from bot.quota_told import NO_QUOTA, told_of
from bot.skill import CommandSpec, Library, Request, Slot
from bot.text.shown import in_code, named

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.forgetting import Forgetting
    from bot.indexing import Indexing
    from bot.linking import Linking
    from bot.quota import Quotas
    from bot.route import Route
    from bot.store.chats import Chats
    from bot.store.history import History
    from bot.store.linked import Identity

_ = phrases(__file__)

LANGUAGE_NAMES: dict[str, Language | None] = {
    "ko": "ko", "korean": "ko", "한국어": "ko", "한글": "ko",
    "en": "en", "english": "en", "영어": "en",
    "auto": None, "자동": None,
}  # fmt: skip
HOW = {
    "command": _("You named it with a command."),
    "attachment": _("The file that you sent decides that."),
    "reply": _("The file that you replied to decides that."),
    "link": _("The message was a link and nothing else."),
    "words": _("Its words alone decide that."),
    "button": _("You pressed its button."),
    "found": _("No skill was sure, but your documents had an answer."),
    "follow": _("It goes on from what was asked before."),
    "silent": _("It was not meant for me; this chat keeps its messages for the search."),
}


class House:
    """`/why`, `/lang`, `/quota`, `/privacy`, `/forget`, `/index`."""

    name = "house"
    title = _("Settings")
    summary = _("I keep this chat's settings and say what I know of you.")
    slots: tuple[Slot[object, object], ...] = ()
    takes: frozenset[AttachmentKind] = frozenset()
    commands = (
        CommandSpec("why", _("Why the last message went where it went"), aliases=("왜",)),
        CommandSpec("lang", _("Set the language of this chat"), aliases=("언어",)),
        CommandSpec("index", _("Make this chat's messages searchable, or stop"), aliases=("색인",)),
        CommandSpec("quota", _("What you have asked for today, and how much you may"), aliases=("한도",)),
        CommandSpec("link", _("Be one person here and on another channel"), aliases=("연결",)),
        CommandSpec("unlink", _("Be one person with your other accounts no more"), listed=False, aliases=("연결해제",)),
        CommandSpec("privacy", _("What is kept, where, and for how long"), aliases=("개인정보",)),
        CommandSpec(
            "forget",
            _("Delete what you said and sent, a document, or what you reply to"),
            aliases=("delete", "잊어", "잊기", "삭제"),
        ),
    )

    def __init__(  # noqa: PLR0913 - each is something that people may settle here
        self, history: History, chats: Chats, library: Library, forgetting: Forgetting, home: str, *, quotas: Quotas | None = None,
        kept_days: int = 0, indexing: Indexing | None = None, linking: Linking | None = None, links: bool = False, server: str = "",
    ) -> None:  # fmt: skip
        """Use the stores; the others are what /privacy says.

        `home` is the folder, `kept_days` how long things are kept (0: for ever), `links` whether those that people send are fetched,
        `server` which host is asked by the chat skill ("": none).
        """
        self._history = history
        self._chats = chats
        self._library = library
        self._forgetting = forgetting
        self._indexing = indexing
        self._linking = linking
        self._quotas = quotas
        self._home = home
        self._kept_days = kept_days
        self._links = _(", and a link that you send, which is fetched from its own site") if links else ""
        self._server = _(", and what you ask of the chat model, which goes to {server}", server=server) if server else ""

    def claims(self, message: Message) -> bool:
        """Claim who asks in words to delete a file, to be answered in a language from now on, or what is kept of them."""
        said = message.text
        alone = not message.attachments and message.reply_to is None
        return bool(file_to_forget(said)) or (alone and (speaks(said) is not None or asks_what_is_kept(said)))

    async def answer(self, request: Request) -> Reply:
        """Do what the command says; without one, keep what was said, where the chat wants it kept."""
        command = request.message.command
        if command is None:
            return (await self._in_words(request) if request.message.addressed else None) or await self._keep(request)
        name = next((spec.name for spec in self.commands if command.name in (spec.name, *spec.aliases)), "")
        match name:
            case "why":
                return await self._why(request)
            case "lang":
                return await self._lang(request)
            case "index":
                return await self._index(request)
            case "link" | "unlink" if self._linking is not None:
                return request.reply(await self._linking.answer(request.message))
            case "quota":
                said = await told_of(request.message, self._quotas) if self._quotas else NO_QUOTA
                return request.reply(said)
            case "privacy":
                return await self._privacy(request)
            case "forget":
                return await self._forget(request)
        raise InputError(_("There is no /{name}. /help shows what there is.", name=command.name))

    async def _in_words(self, request: Request) -> Reply | None:
        """Answer what is claimed by its words, None for all else, which is only kept."""
        if name := file_to_forget(request.text):
            told = await self._forgetting.for_all(request.message, name)
            return _offered(name, request) if told is None else request.reply(told)
        if not self.claims(request.message):
            return None
        if language := speaks(request.text):
            return await self._speak(request, language)
        return await self._privacy(request)

    async def _why(self, request: Request) -> Reply:
        last = await self._history.said_before(request.message)
        if last is None:
            return request.reply(_("There is no message of yours before this one that I could explain."))
        message, route = last
        said = _explain(message, route, request.language)
        return request.reply(said)

    async def _lang(self, request: Request) -> Reply:
        name = request.text.strip().lower()
        if name not in LANGUAGE_NAMES:
            return request.reply(_("Write /lang ko, /lang en, or /lang auto to answer each message in its own language."))
        return await self._speak(request, LANGUAGE_NAMES[name])

    async def _speak(self, request: Request, language: Language | None) -> Reply:
        await self._chats.set_language(request.message.address, language)
        if language is None:
            return request.reply(_("From now on I answer each message in its own language."))
        said = _("From now on I answer in English here.") if language == "en" else _("From now on I answer in Korean here.")
        return Reply(said.to(language), language)

    async def _index(self, request: Request) -> Reply:
        if self._indexing is None:
            raise InputError(_("Nothing that is said is indexed here."))
        return await self._indexing.answer(request)

    async def _privacy(self, request: Request) -> Reply:
        said = _(
            "I run on one machine, in the folder {home}. Nothing leaves it but what goes to this chat's own platform{links}{model}.\n\n"
            "- Kept: messages that are meant for me, with who wrote them and when, and my answers; files that you send me; where /index is "
            "on, the chat's messages; what admins order.\n"
            "- Not kept: other people's talk in a group that is not meant for me.\n"
            "- Who can find it: those who are in this chat. What the admin added for all is found by all.\n"
            "- Tried: a model that the admin tries may be given the admin's requests too, or everybody's where they say so. Nobody is shown "
            "what it says, and only numbers are kept of it.\n"
            "- How long: {how_long}",
            home=self._home,
            links=self._links,
            model=self._server,
            how_long=_("{days} days at most, or until you write /forget here.", days=self._kept_days)
            if self._kept_days
            else _("until you write /forget here, or the admin removes it."),
        )
        if not (others := await self._others(request.message)):
            return request.reply(said)
        people = ", ".join(one.person for one in others)
        linked = _(
            "- You are one person to me with {people}: what is found there is found here, in our own chat. /unlink ends that.",
            people=people,
        )
        return request.reply(f"{said.markdown(request.language)}\n{linked.markdown(request.language)}")

    async def _others(self, message: Message) -> Sequence[Identity]:
        """Return the asker's other accounts; in a group nothing is told of them."""
        return [] if self._linking is None or message.address.kind == "group" else await self._linking.others(message)

    async def _forget(self, request: Request) -> Reply:
        return await self._forgetting.answer(request)

    async def _keep(self, request: Request) -> Reply:
        """Keep what was said in a chat that said `/index on`, by whom, when and where; an edit that says nothing takes it back."""
        message = request.message
        wanted = not message.addressed or (await self._chats.settings(message.address)).indexing
        if wanted and (talk := talk_of(message)) is not None:
            await self._library.add_text(
                talk.text, request.home, title=talk.title, link=talk.link, key=talk.key, sender=talk.sender, said=talk.said
            )
        elif message.version:
            await self._library.remove(request.home, key=key_of(message))
        return request.reply("")


def _offered(name: str, request: Request) -> Reply:
    """Offer to forget a file: words alone delete nothing."""
    said = _("Shall I forget {name}? Nothing of it is found or kept then.", name=named(name))
    return request.reply(said, buttons=[Button(_("Forget it").to(request.language), Command("forget", name))])


def _explain(message: Message, route: Route, language: Language) -> str:
    head = _head(_short(message.text), route).markdown(language)
    if route.how != "router":
        return f"{head} {HOW[route.how].to(language)}"
    lines = [head]
    if route.score is not None:
        lines.append(_scores(route).to(language))
    if route.action == "ask":
        lines.append(_("The two were too close, so I asked.").to(language))
    elif route.action == "none" and (route.runner_up_score or 0.0) > (route.score or 0.0):
        lines.append(_("That was too little to act on.").to(language))
    if route.because:
        lines.append(
            _("What weighed most: {pieces}", pieces=Marked(", ".join(f"`{in_code(piece)}`" for piece in route.because))).markdown(
                language
            )
        )
    return "\n\n".join(lines)


def _head(text: str, route: Route) -> Text:
    if route.how == "router" and route.action == "none":
        return _("No skill took “{text}”.", text=text)
    if route.how == "router" and route.action == "ask":
        return _("“{text}” may be for **{skill}** or for **{other}**.", text=text, skill=route.skill, other=route.runner_up)
    return _("“{text}” went to **{skill}**.", text=text, skill=route.skill or "–")


def _scores(route: Route) -> Text:
    score, second = round(100 * (route.score or 0.0)), round(100 * (route.runner_up_score or 0.0))
    other = route.runner_up or "–"
    if route.action == "none":
        return _("The router gave {score} % to “none of them”, and {second} % to {runner_up}, which came nearest.",
                 score=score, second=second, runner_up=other)  # fmt: skip
    return _("The router gave it {score} %, and {second} % to {runner_up}.", score=score, second=second, runner_up=other)


def _short(text: str, most: int = 80) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"
