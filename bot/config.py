"""Settings: one frozen tree. Read once, by `bot.config_file`; what channels are told stands in `bot.config_channels`.

    PARING_HOME=/srv/paring PARING_WEB__PORT=9000 paring run

Secrets (`SecretStr`) come from the environment alone and print as asterisks.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import tzinfo
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, available_timezones

import platformdirs
from pydantic import Field, SecretStr, field_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bot.config_channels import ChannelSettings, MatrixSettings, SlackSettings, TelegramSettings, WebSettings
from bot.config_section import PERSON, PREFIX, Names, Section, listed
from bot.errors import InputError

__all__ = [
    "MEBIBYTE", "PREFIX", "BackupSettings", "LimitSettings", "LinkSettings", "MatrixSettings", "MetricsSettings", "ModelSettings",
    "QuotaSettings", "RetentionSettings", "Section", "Settings", "SlackSettings", "TelegramSettings", "WatchSettings", "WebSettings",
    "install_models",
]  # fmt: skip

MEBIBYTE = 1024 * 1024


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
    costly: Names = Field(
        default=("imagine", "transcribe", "translate"),
        description="Skills whose answers are counted for themselves, comma-separated in the environment.",
    )


class ModelSettings(Section):
    """Models and the memory they may take."""

    folder: Path | None = Field(default=None, description="Where models of your own lie; default: HOME/models.")
    ram_mb: int = Field(default=0, ge=0, description="Budget for loaded models in MiB; 0: 60 % of the machine.")
    threads: int = Field(default=0, ge=0, description="Threads of a model's arithmetic; 0: as many as there are cores.")
    embed_engine: Literal["auto", "onnxruntime", "openvino"] = Field(
        default="auto", description="How MiniLM is run; auto: openvino where the processor has AVX-512 VNNI, else onnxruntime."
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

    @field_validator("chat_url")
    @classmethod
    def _address(cls, value: str) -> str:
        if value and not value.lower().startswith(("http://", "https://")):
            raise PydanticCustomError("address", "no address")
        return value


class LinkSettings(Section):
    """What the bot may fetch when a person gives it a link."""

    enabled: bool = Field(default=True, description="Fetch links that people send.")
    allowed_hosts: Names = Field(
        default=(),
        description="Hosts of your intranet that may be fetched although they are private: NAME (any port), NAME:PORT, or an address.",
    )
    page_mb: int = Field(default=10, ge=1, description="Largest page.")
    seconds: float = Field(default=15.0, gt=0, description="Longest fetch.")


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
    admins: Names = Field(
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
    matrix: MatrixSettings = Field(default_factory=MatrixSettings)
    channels: Mapping[str, ChannelSettings] = Field(default_factory=dict, exclude=True)
    """The settings of channels that other packages bring, by their names; read by `bot.config_strangers`."""
    limits: LimitSettings = Field(default_factory=LimitSettings)
    quotas: QuotaSettings = Field(default_factory=QuotaSettings)
    models: ModelSettings = Field(default_factory=ModelSettings)
    links: LinkSettings = Field(default_factory=LinkSettings)
    watch: WatchSettings = Field(default_factory=WatchSettings)
    metrics: MetricsSettings = Field(default_factory=MetricsSettings)
    backup: BackupSettings = Field(default_factory=BackupSettings)
    retention: RetentionSettings = Field(default_factory=RetentionSettings)

    @field_validator("channels", mode="before")
    @classmethod
    def _read(cls, value: object) -> object:
        """Take what was read, and not what pydantic finds in the environment by itself."""
        return (
            {name: one for name, one in value.items() if isinstance(one, ChannelSettings)}
            if isinstance(value, Mapping)
            else value
        )

    @field_validator("admins")
    @classmethod
    def _people(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        """Take a bare number for Telegram's: no other platform's people are numbers."""
        value = tuple(f"telegram:{name}" if name.isascii() and name.isdigit() else name for name in value)
        if strange := [name for name in value if not PERSON.fullmatch(name)]:
            raise PydanticCustomError("person", "nobody", {"given": strange[0]})
        return value

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


def install_models() -> Path:
    """Return the folder for what is made once from the models that come with the install."""
    return Path(sys.prefix) / "share" / "paring" / "models"
