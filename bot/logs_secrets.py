"""Secrets, struck out of what is written: as they are, and as addresses, JSON and base64 write them.

strike = striker(secrets_of(settings))
strike("GET https://host/bot123%3AABC/getMe")    # "GET https://host/bot**********/getMe"
"""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final
from urllib.parse import quote, quote_plus, unquote, urlsplit

from pydantic import BaseModel, SecretStr

STRUCK_OUT: Final = "**********"
LONG: Final = 8
"""Characters from which a secret is looked for in other spellings, and its part behind a colon by itself."""
OTHERS: Final = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
"""Secrets that are no settings of ours."""
ADDRESSES: Final = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "HF_ENDPOINT")
"""Addresses of others that may hold a password; in small letters, too."""


def secrets_of(section: BaseModel) -> list[str]:
    """Return the values of every secret that is set, each of several with commas between, and the passwords within addresses."""
    found: list[str] = []
    for name in type(section).model_fields:
        value = getattr(section, name)
        if isinstance(value, SecretStr) and value.get_secret_value():
            secret = value.get_secret_value()
            found += [secret, *(part for one in secret.split(",") if len(part := one.strip()) >= LONG and part != secret)]
        elif isinstance(value, str) and "@" in value and "://" in value:
            found += _passwords(value)
        elif isinstance(value, BaseModel):
            found += secrets_of(value)
        elif isinstance(value, Mapping):
            found += [secret for one in value.values() if isinstance(one, BaseModel) for secret in secrets_of(one)]
    return found


def environments(environment: Mapping[str, str] = os.environ) -> list[str]:
    """Return the secrets of others that the environment holds."""
    addresses = [environment.get(spelt, "") for name in ADDRESSES for spelt in (name, name.lower())]
    tokens = [value.strip() for name in OTHERS if (value := environment.get(name, "")).strip()]
    return tokens + [password for address in addresses for password in _passwords(address)]


def striker(secrets: Iterable[str]) -> Callable[[str], str]:
    """Return the function that strikes every one of `secrets` out of a text."""
    spellings = sorted({one for secret in secrets for one in _spellings(secret) if one}, key=len, reverse=True)
    if not spellings:
        return str
    pattern = re.compile("|".join(map(re.escape, spellings)))
    return lambda text: pattern.sub(STRUCK_OUT, text)


def strike(text: str, secrets: tuple[str, ...]) -> str:
    """Return `text` with every secret struck out."""
    return striker(secrets)(text)


def _spellings(secret: str) -> Iterator[str]:
    yield secret
    for bare in {secret.strip(), secret.partition(":")[2]}:
        if len(bare) < LONG:
            continue
        yield bare
        yield from (quote(bare, safe="", errors="replace"), quote(bare, errors="replace"), quote_plus(bare, errors="replace"))
        yield repr(bare)[1:-1]
        yield from (json.dumps(bare)[1:-1], json.dumps(bare, ensure_ascii=False)[1:-1])
        yield from _in_base64(bare.encode("utf-8", "surrogateescape"))


def _in_base64(secret: bytes) -> Iterator[str]:
    """Yield what of `secret` looks the same wherever it stands within a text in base64."""
    for before in range(3):
        coded = base64.b64encode(bytes(before) + secret)
        first = -(-before * 8 // 6)
        last = (before + len(secret)) * 8 // 6
        for spelling in (coded, coded.translate(bytes.maketrans(b"+/", b"-_"))):
            yield spelling[first:last].decode("ascii")


def _passwords(address: str) -> list[str]:
    try:
        password = urlsplit(address).password
    except ValueError:
        return []
    return list(dict.fromkeys((password, unquote(password)))) if password else []
