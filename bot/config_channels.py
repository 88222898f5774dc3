"""The settings of channels: what every one has on which strangers are met, and the project's own.

    class IrcSettings(ChannelSettings):
        server: str = Field(description="Where it is.")

Leaves to `bot.config` the tree in which they stand.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_core import PydanticCustomError

from bot.config_section import Names, Section, listed


class ChannelSettings(Section):
    """A channel on which strangers find the bot: those let in without a code, by the platform's own names of them."""

    allowed_users: Names = Field(
        default=(), description="Who may talk to the bot, comma-separated in the environment; with no list, see front_door."
    )
    allowed_chats: Names = Field(default=(), description="Groups in which everybody may, comma-separated in the environment.")


class WebSettings(Section):
    """The web page."""

    enabled: bool = Field(default=True, description="Serve the chat page.")
    host: str = Field(default="127.0.0.1", description="Address to listen on. Anything but loopback needs a password.")
    port: int = Field(default=8080, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    password: SecretStr = Field(default=SecretStr(""), description="Asked for before the page opens. Environment only.")
    admin: bool = Field(
        default=True, description="The person on the page may use admin commands; false where others know the password."
    )
    proxies: Names = Field(
        default=(),
        description="Addresses of your own proxies, whose X-Forwarded-For and X-Forwarded-Proto are believed; nobody else's are.",
    )


class TelegramSettings(ChannelSettings):
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
    allowed_users: Names = Field(
        default=(),
        description="Numbers of the people who may talk to the bot, comma-separated in the environment; with no list, see front_door.",
    )
    allowed_chats: Names = Field(
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


class SlackSettings(ChannelSettings):
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
    allowed_users: Names = Field(
        default=(), description="Member ids (U…) of the people who may talk to the bot; with no list, see front_door."
    )
    allowed_chats: Names = Field(
        default=(), description="Ids (C…) of the channels in which everybody may, comma-separated in the environment."
    )
    history_a_minute: int = Field(
        default=40,
        ge=1,
        description="Pages a minute that are read of what was said before; Slack lets an app of one's own have 50.",
    )
    admins_from: Literal["nobody", "owners", "admins"] = Field(
        default="nobody",
        description="Who of the first token's workspace is an admin of Paring by being so there: nobody, its owners, its owners and "
        "admins.",
    )


class MatrixSettings(ChannelSettings):
    """Matrix. Off while there is no homeserver and no user id."""

    homeserver: str = Field(
        default="", description="Where the homeserver is (https://matrix.example.org); empty: as the server in matrix.user tells."
    )
    user: str = Field(default="", description="The bot's user id, @paring:example.org; a token of its own says it by itself.")
    password: SecretStr = Field(default=SecretStr(""), description="The account's password. Environment only.")
    token: SecretStr = Field(default=SecretStr(""), description="An access token instead of a password. Environment only.")
    appservice_token: SecretStr = Field(
        default=SecretStr(""), description="The as_token of an appservice registration instead of both. Environment only."
    )
    invite_from: Names = Field(
        default=(),
        description="Whose invitations are followed: user ids and *:example.org, comma-separated in the environment; empty: of people on "
        "its own homeserver. Admins' and allowed people's are anyway.",
    )
    admin_room: str = Field(
        default="",
        description="A room (!…) whose members with power 50 or more, of the bot's own homeserver, are admins of Paring; empty: none are so.",
    )
    encryption: Literal["anyone", "owner", "verified", "off"] = Field(
        default="anyone",
        description="Whose messages are read in encrypted rooms: of every device that their homeserver names (anyone), of those that their "
        "owner has signed (owner), of those whose emoji were compared with the bot (verified); off: none.",
    )
    verification: Literal["ask", "accept", "off"] = Field(
        default="ask",
        description="Who compares emoji with the bot is verified once they have said so to it (ask), by itself (accept), or never (off).",
    )
    download_mb: int = Field(default=50, ge=1, description="Largest file fetched.")
    allowed_users: Names = Field(
        default=(), description="User ids (@…) of the people who may talk to the bot; with no list, see front_door."
    )
    allowed_chats: Names = Field(
        default=(), description="Ids (!…) of the rooms in which everybody may, comma-separated in the environment."
    )

    @property
    def enabled(self) -> bool:
        """Say whether there is an account to speak as."""
        return bool(self.homeserver or self.user)
