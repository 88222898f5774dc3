"""Settings: one frozen tree, read once. paring.toml first, the environment over it; unknown keys are refused.

    PARING_HOME=/srv/paring PARING_WEB__PORT=9000 paring run

Secrets (`SecretStr`) come from the environment alone and print as asterisks.
"""

from __future__ import annotations

import difflib
import json
import os
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import tzinfo
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from pydantic_settings import SettingsError as SourceError

from bot.config_errors import first_problem
from bot.errors import InputError, SettingsError
from bot.locale import Text, phrases

_ = phrases(__file__)

PREFIX = "PARING_"
CONFIG_VARIABLE = "PARING_CONFIG"
MEBIBYTE = 1024 * 1024


class Section(BaseModel):
    """A part of the tree: frozen, and strict about its keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def listed(value: object) -> object:
    """Return the parts of a text with commas between them, or of a JSON list; anything else as it is."""
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        with suppress(ValueError):
            return tuple(json.loads(value))
    return tuple(part.strip() for part in value.split(",") if part.strip())


class WebSettings(Section):
    """The web page."""

    enabled: bool = Field(default=True, description="Serve the chat page.")
    host: str = Field(default="127.0.0.1", description="Address to listen on. Anything but loopback needs a password.")
    port: int = Field(default=8080, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    password: SecretStr = Field(default=SecretStr(""), description="Asked for before the page opens. Environment only.")
    admin: bool = Field(
        default=True, description="The person on the page may use admin commands; false where others know the password."
    )
    proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Addresses of your own proxies, whose X-Forwarded-For and X-Forwarded-Proto are believed; nobody else's are.",
    )

    @field_validator("proxies", mode="before")
    @classmethod
    def _addresses(cls, value: object) -> object:
        return listed(value)


class TelegramSettings(Section):
    """Telegram. Off while there is no token."""

    token: SecretStr = Field(default=SecretStr(""), description="The bot's token, from @BotFather. Environment only.")
    base_url: str = Field(
        default="https://api.telegram.org/bot", description="Where the Bot API is; your own server if you run one."
    )
    base_file_url: str = Field(
        default="https://api.telegram.org/file/bot", description="Where its files are; unset: beside what base_url names."
    )
    webhook_url: str = Field(default="", description="Public https address for updates; empty: long polling.")
    webhook_host: str = Field(default="127.0.0.1", description="Address on which the webhook listens (behind your proxy).")
    webhook_port: int = Field(default=8443, ge=0, le=65535, description="Port on which the webhook listens.")
    webhook_secret: SecretStr = Field(default=SecretStr(""), description="Secret header of the webhook. Environment only.")
    download_mb: int = Field(default=20, ge=1, description="Largest file fetched; 20 is what the public server gives.")
    allowed_users: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Numbers of the people who may talk to the bot, comma-separated in the environment; with no list, see front_door.",
    )
    allowed_chats: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Numbers of the groups in which everybody may, comma-separated in the environment."
    )

    @field_validator("allowed_users", "allowed_chats", mode="before")
    @classmethod
    def _numbers(cls, value: object) -> object:
        given = listed(value)
        numbers = [str(entry) for entry in given] if isinstance(given, list | tuple) else []
        if strange := [number for number in numbers if not number.removeprefix("-").isdecimal()]:
            raise PydanticCustomError("telegram_number", "no number of Telegram's", {"given": strange[0]})
        return tuple(numbers) if isinstance(given, list | tuple) else given


class SlackSettings(Section):
    """Slack. Off while there is no bot token."""

    bot_tokens: SecretStr = Field(
        default=SecretStr(""), description="The bot's token of each workspace (xoxb-…), with commas between. Environment only."
    )
    app_token: SecretStr = Field(default=SecretStr(""), description="The app's token (xapp-…) for Socket Mode. Environment only.")
    signing_secret: SecretStr = Field(
        default=SecretStr(""), description="What Slack signs its requests with, where there is no Socket Mode. Environment only."
    )
    base_url: str = Field(default="https://slack.com/api/", description="Where the Web API is.")
    events_host: str = Field(
        default="127.0.0.1", description="Address on which Slack's requests are listened for (behind your proxy)."
    )
    events_port: int = Field(default=8444, ge=0, le=65535, description="Port on which Slack's requests are listened for.")
    events_path: str = Field(default="/slack/events", description="Path of Slack's requests: events, commands and buttons.")
    download_mb: int = Field(default=50, ge=1, description="Largest file fetched.")
    allowed_users: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Member ids (U…) of the people who may talk to the bot; with no list, see front_door."
    )
    allowed_chats: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Ids (C…) of the channels in which everybody may, comma-separated in the environment."
    )

    @field_validator("allowed_users", "allowed_chats", mode="before")
    @classmethod
    def _parts(cls, value: object) -> object:
        return listed(value)


class LimitSettings(Section):
    """What a person may send."""

    text_bytes: int = Field(default=1 * MEBIBYTE, ge=1024, description="Longest message text, in bytes of UTF-8.")
    file_mb: int = Field(default=50, ge=1, description="Largest file, in MiB.")
    image_megapixels: float = Field(default=40.0, gt=0, description="Largest picture, in millions of pixels.")
    queue: int = Field(
        default=10_000, ge=1, description="Messages that may wait for an answer; what comes beyond is refused with a sentence."
    )
    chat_queue: int = Field(default=2_000, ge=1, description="As many of one chat.")
    answer_minutes: float = Field(
        default=30.0,
        gt=0,
        description="Longest work on one message; what takes longer is ended and set aside. A model's trial may.",
    )
    audio_minutes: float = Field(default=10.0, gt=0, description="Longest recording.")
    parser_memory_mb: int = Field(
        default=1024, ge=128, description="Address space of the child that reads foreign files, beyond its start."
    )
    parser_seconds: float = Field(default=30.0, gt=0, description="Longest time for one file.")
    archive_growth: int = Field(default=100, ge=2, description="How many times its size a compressed file may unpack to.")


class QuotaSettings(Section):
    """How much one person and one group may ask for. Nothing is counted that has no limit."""

    person_a_minute: int = Field(
        default=0, ge=0, description="Messages a minute that one person may write, in all their chats together; 0: any number."
    )
    group_a_minute: int = Field(
        default=0, ge=0, description="Messages a minute that one group may write to the bot; 0: any number."
    )
    person_a_day: int = Field(
        default=0, ge=0, description="Messages a day of one person, in all their chats together; 0: any number. Not for admins."
    )
    group_a_day: int = Field(
        default=0,
        ge=0,
        description="Messages a day that one group may write to the bot; 0: any number. What admins write does not count.",
    )
    costly_a_day: int = Field(
        default=0, ge=0, description="Answers a day of the skills in quotas.costly to one person; 0: any number. Not for admins."
    )
    costly: Annotated[tuple[str, ...], NoDecode] = Field(
        default=("imagine", "transcribe", "translate"),
        description="Skills whose answers are counted for themselves, comma-separated in the environment.",
    )

    @field_validator("costly", mode="before")
    @classmethod
    def _skills(cls, value: object) -> object:
        return listed(value)


class ModelSettings(Section):
    """Models and the memory they may take."""

    folder: Path | None = Field(default=None, description="Where models of your own lie; default: HOME/models.")
    ram_mb: int = Field(default=0, ge=0, description="Budget for loaded models in MiB; 0: 60 % of the machine.")
    threads: int = Field(default=0, ge=0, description="Threads of a model's arithmetic; 0: as many as there are cores.")
    embed_engine: Literal["auto", "onnxruntime", "openvino"] = Field(
        default="auto", description="How MiniLM is run; auto: openvino in bfloat16 where the processor has it, else onnxruntime."
    )
    choose: dict[str, str] = Field(default_factory=dict, description="Slot to model name or folder, where it is not the default.")
    probation_answers: int = Field(
        default=200, ge=1, description="Answers for which a new model is watched; it is taken back by itself where it does badly."
    )
    probation_minutes: float = Field(default=30.0, gt=0, description="Minutes after which it is watched no more.")
    shadow: Literal["nobody", "admins", "everybody"] = Field(
        default="admins",
        description="Whose requests may be computed by a model on trial too, shown to nobody: nobody, admins (the owner and the "
        "settings' own, in their direct chats), everybody.",
    )
    chat_url: str = Field(default="", description="Base URL of an OpenAI-compatible server of your own, for the chat slot.")
    chat_model: str = Field(default="", description="The model's name on that server.")
    chat_key: SecretStr = Field(default=SecretStr(""), description="Its key, where it wants one. Environment only.")


class LinkSettings(Section):
    """What the bot may fetch when a person gives it a link."""

    enabled: bool = Field(default=True, description="Fetch links that people send.")
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Hosts of your intranet that may be fetched although they are private: NAME (any port), NAME:PORT, or an address.",
    )
    page_mb: int = Field(default=10, ge=1, description="Largest page.")
    seconds: float = Field(default=15.0, gt=0, description="Longest fetch.")

    @field_validator("allowed_hosts", mode="before")
    @classmethod
    def _hosts(cls, value: object) -> object:
        return listed(value)


class MetricsSettings(Section):
    """How the bot is, told to programs of this machine."""

    port: int = Field(
        default=0, ge=0, le=65535, description="Port on 127.0.0.1 for /metrics, /readyz and /healthz besides the page's; 0: none."
    )


class WatchSettings(Section):
    """Folders that a running bot watches."""

    folders: Annotated[tuple[Path, ...], NoDecode] = Field(
        default=(),
        description="Folders whose files are kept and followed while the bot runs, comma-separated in the environment.",
    )
    scope: str = Field(default="public", description="Who may find what lies in them: public, or dm:… group:… of one chat.")

    @field_validator("folders", mode="before")
    @classmethod
    def _paths(cls, value: object) -> object:
        return listed(value)

    @field_validator("scope")
    @classmethod
    def _scope(cls, value: str) -> str:
        from bot.passage import Scope  # noqa: PLC0415 - the settings are read before everything else

        try:
            Scope.parse(value)
        except InputError as error:
            raise PydanticCustomError("scope", "no scope", {"given": value}) from error
        return value


class BackupSettings(Section):
    """Backups that the running bot makes by itself."""

    every_h: float = Field(default=0.0, ge=0, description="Hours between two backups that the running bot makes; 0: none.")
    keep: int = Field(default=7, ge=1, description="How many of these are kept; older ones go once a newer one is whole.")
    folder: Path | None = Field(default=None, description="Where they lie, best on another disk; default: HOME/backups.")


class RetentionSettings(Section):
    """How long what people said is kept."""

    days: int = Field(
        default=0,
        ge=0,
        le=36500,
        description="Days after which messages, answers, files and passages of chats are deleted; 0: only when /forget says so.",
    )
    audit_days: int = Field(default=0, ge=0, le=36500, description="Days after which lines of the audit are deleted; 0: never.")


class Settings(BaseSettings):
    """All settings of one installation."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", env_ignore_empty=True, frozen=True, extra="forbid"
    )

    home: Path = Field(
        default_factory=lambda: Path(platformdirs.user_data_dir("paring")), description="Database, files and models lie here."
    )
    admins: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Who may use admin commands: CHANNEL:USER, comma-separated in the environment (telegram:4711)."
    )
    front_door: Literal["auto", "listed", "paired", "everybody"] = Field(
        default="auto",
        description="Who may talk: listed (the lists' people and groups), paired (whom an admin lets in by a code, too), everybody; "
        "auto: listed where there is a list, else paired. Admins always may.",
    )
    language: Literal["ko", "en"] = Field(default="en", description="Language where nothing else tells.")
    timezone: str = Field(
        default="", description="Zone in which times are told and days begin, such as Asia/Seoul; empty: this machine's."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="warning", description="What is logged to stderr.")
    log_format: Literal["json", "console"] = Field(
        default="json", description="How it is logged: a line of JSON an event for machines, or for people to read."
    )
    web: WebSettings = Field(default_factory=WebSettings)
    telegram: TelegramSettings = Field(default_factory=TelegramSettings)
    slack: SlackSettings = Field(default_factory=SlackSettings)
    limits: LimitSettings = Field(default_factory=LimitSettings)
    quotas: QuotaSettings = Field(default_factory=QuotaSettings)
    models: ModelSettings = Field(default_factory=ModelSettings)
    links: LinkSettings = Field(default_factory=LinkSettings)
    watch: WatchSettings = Field(default_factory=WatchSettings)
    metrics: MetricsSettings = Field(default_factory=MetricsSettings)
    backup: BackupSettings = Field(default_factory=BackupSettings)
    retention: RetentionSettings = Field(default_factory=RetentionSettings)

    @field_validator("admins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return listed(value)

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value and value not in available_timezones():
            raise PydanticCustomError("timezone", "no time zone", {"given": value})
        return value

    @property
    def zone(self) -> tzinfo | None:
        """The time zone of `timezone`, None for this machine's."""
        return ZoneInfo(self.timezone) if self.timezone else None

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.home / "paring.db"

    @property
    def backups(self) -> Path:
        """Where the running bot puts backups."""
        return self.backup.folder or self.home / "backups"

    @property
    def model_home(self) -> Path:
        """Where an admin's own models lie."""
        return self.models.folder or self.home / "models"


def load_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Return the settings of paring.toml and the environment.

    Raises:
        SettingsError: an unknown key (with the nearest known one), a secret in the file, or a value of the wrong kind.
    """
    environment = os.environ if environment is None else environment
    file = find_config(environment)
    from_file = _read(file) if file else {}
    _refuse_unknown(from_file, environment, file)
    try:
        return Settings(**_without_environment(from_file, environment))
    except ValidationError as error:
        raise SettingsError(first_problem(error, variable=variable)) from None
    except SourceError:  # the one setting that is no text, number or list
        example = '{"chat": "NAME"}'
        raise SettingsError(
            _("{variable} is not right: expected JSON such as {example}. Set it so, or under [models.choose] in paring.toml.",
              variable=variable("models.choose"), example=example)
        ) from None  # fmt: skip


def find_config(environment: Mapping[str, str]) -> Path | None:
    """Return the paring.toml in force: PARING_CONFIG, else ./paring.toml, else the home's; None where there is none."""
    if named := environment.get(CONFIG_VARIABLE):
        if not Path(named).is_file():
            raise SettingsError(
                _(
                    "{variable} names {file}, which is not a file. Create it or unset {variable}.",
                    variable=CONFIG_VARIABLE,
                    file=named,
                )
            )
        return Path(named)
    home = Path(environment.get("PARING_HOME") or platformdirs.user_data_dir("paring"))
    return next((path for path in (Path("paring.toml"), home / "paring.toml") if path.is_file()), None)


def walk(section: type[BaseModel] = Settings, prefix: str = "") -> Iterator[tuple[str, object, str, bool]]:
    """Yield (dotted key, default, description, is it a secret) of every setting, in the order of the tree."""
    for name, info in section.model_fields.items():
        kind = info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from walk(kind, f"{prefix}{name}.")
        else:
            default = "" if kind is SecretStr or name == "home" else info.get_default(call_default_factory=True)
            yield f"{prefix}{name}", default, info.description or "", kind is SecretStr


def variable(key: str) -> str:
    """Return the environment variable of a dotted key: `web.port` is PARING_WEB__PORT."""
    return PREFIX + key.replace(".", "__").upper()


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(
            _(
                "{file} cannot be read: {why}. Mend the file, or move it away to start with the defaults.",
                file=str(file), why=str(error),
            )
        ) from error  # fmt: skip


def _refuse_unknown(from_file: Mapping[str, Any], environment: Mapping[str, str], file: Path | None) -> None:
    known = {key: secret for key, _default, _description, secret in walk()}
    for key in _flatten(from_file):
        if key in {name.partition(".")[0] for name in known if "." in name}:
            raise SettingsError(
                _(
                    "{file}: “{key}” is a section. Write [{key}] on a line of its own, and its settings below it.",
                    file=str(file),
                    key=key,
                )
            )
        if key not in known and not key.startswith("models.choose."):
            raise SettingsError(
                _("{file}: there is no setting “{key}”. {nearest}", file=str(file), key=key, nearest=_nearest(key, known))
            )
        if known.get(key):
            raise SettingsError(
                _(
                    "{file}: “{key}” is a secret and is taken from the environment only: set {variable}.",
                    file=str(file), key=key, variable=variable(key),
                )
            )  # fmt: skip
    variables = {variable(key) for key in known} | {CONFIG_VARIABLE}
    for name in environment:
        if name.startswith(PREFIX) and name not in variables:
            raise SettingsError(_("There is no setting {name}. {nearest}", name=name, nearest=_nearest(name, variables)))


def _flatten(tree: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def _nearest(name: str, known: Iterable[str]) -> Text:
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return _("Did you mean {near}?", near=near[0]) if near else _("`paring doctor --settings` lists them all.")


def _without_environment(from_file: Mapping[str, Any], environment: Mapping[str, str], prefix: str = "") -> dict[str, Any]:
    """Drop from the file what the environment sets: keyword arguments would win over it."""
    kept: dict[str, Any] = {}
    for name, value in from_file.items():
        if isinstance(value, Mapping):
            kept[name] = _without_environment(value, environment, f"{prefix}{name}.")
        elif not environment.get(variable(f"{prefix}{name}")):
            kept[name] = value
    return kept


def install_models() -> Path:
    """Return the folder for what is made once from the models that come with the install."""
    return Path(sys.prefix) / "share" / "paring" / "models"
