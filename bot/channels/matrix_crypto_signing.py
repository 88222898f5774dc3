"""The bot's identity in Matrix (cross-signing): three keys of its own, and what they sign.

Owns the keys, kept in a file that its owner alone may read, and the signatures. People verify the bot once: whatever device it comes back
with, the identity signs it. Leaves the asking of the homeserver to `bot.channels.matrix_crypto`.

    identity = Identity.load(folder)
    identity.uploaded_keys("@paring:example.org")      # the body of /keys/device_signing/upload
    signed_by(device_keys, "@ann:example.org", key)    # did that key sign it?

Source: https://spec.matrix.org/v1.13/client-server-api/#cross-signing
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bot.store.flushing import flush_folder

Json = dict[str, Any]
FILE: Final = "identity.json"
USES: Final = ("master", "self_signing", "user_signing")
_SEED_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Identity:
    """Three Ed25519 keys, by their seeds."""

    seeds: dict[str, bytes]

    @classmethod
    def load(cls, folder: Path) -> Identity | None:
        """Return the one that is kept there, None for none that is whole."""
        try:
            said = json.loads((folder / FILE).read_text(encoding="utf-8"))
            seeds = {use: base64.b64decode(said[use], validate=True) for use in USES}
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return cls(seeds) if all(len(seed) == _SEED_BYTES for seed in seeds.values()) else None

    @classmethod
    def make(cls, folder: Path) -> Identity:
        """Return a new one, on disk before anybody is told of it."""
        made = cls({use: os.urandom(_SEED_BYTES) for use in USES})
        aside = folder / f"{FILE}.new"
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump({use: base64.b64encode(seed).decode() for use, seed in made.seeds.items()}, file)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(folder / FILE)
        flush_folder(folder)
        return made

    def public(self, use: str) -> str:
        """Return the public half, as Matrix writes it."""
        return _unpadded(_private(self.seeds[use]).public_key().export_key(format="raw"))

    def sign(self, use: str, said: Json) -> str:
        """Return the signature of a JSON object by one of the keys."""
        from Crypto.Signature import eddsa  # noqa: PLC0415 - as below

        return _unpadded(eddsa.new(_private(self.seeds[use]), "rfc8032").sign(canonical(said)))

    def uploaded_keys(self, user: str, device: str, sign_by_device: str) -> Json:
        """Return what makes this the identity of `user`; `sign_by_device` is the device's signature of `key("master")`."""
        made: Json = {f"{use}_key": self.key(use, user) for use in USES}
        made["master_key"]["signatures"] = {user: {f"ed25519:{device}": sign_by_device}}
        for use in ("self_signing", "user_signing"):
            body = made[f"{use}_key"]
            made[f"{use}_key"] = {**body, "signatures": {user: {f"ed25519:{self.public('master')}": self.sign("master", body)}}}
        return made

    def key(self, use: str, user: str) -> Json:
        """Return one public key as Matrix describes it, unsigned."""
        return {"user_id": user, "usage": [use], "keys": {f"ed25519:{self.public(use)}": self.public(use)}}

    def signed(self, use: str, said: Json, user: str) -> Json:
        """Return the object with the signature of one of the keys."""
        bare = {name: value for name, value in said.items() if name not in {"signatures", "unsigned"}}
        return {**bare, "signatures": {user: {f"ed25519:{self.public(use)}": self.sign(use, bare)}}}


def canonical(said: Json) -> bytes:
    """Return the form of a JSON object that is signed: without signatures, keys in order, no spaces.

    Source: https://spec.matrix.org/v1.13/appendices/#canonical-json
    """
    bare = {name: value for name, value in said.items() if name not in {"signatures", "unsigned"}}
    return json.dumps(bare, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def signed_by(said: object, user: str, key: str, name: str = "") -> bool:
    """Say whether the key `key` of `user`, called `name` ("" for as itself), has signed the object."""
    import vodozemac  # noqa: PLC0415 - imported where encryption is on

    if not isinstance(said, dict):
        return False
    signatures = said.get("signatures")
    of_user = signatures.get(user) if isinstance(signatures, dict) else None
    signature = of_user.get(f"ed25519:{name or key}") if isinstance(of_user, dict) else None
    if not isinstance(signature, str):
        return False
    try:
        made = vodozemac.Ed25519Signature.from_base64(signature)
        vodozemac.Ed25519PublicKey.from_base64(key).verify_signature(canonical(said), made)
    except (ValueError, binascii.Error, UnicodeError):
        return False
    return True


def only_key(said: object, user: str) -> str:
    """Return the key that a part of an identity holds, "" for none that is well made."""
    keys = said.get("keys") if isinstance(said, dict) and said.get("user_id") == user else None
    if not isinstance(keys, dict) or len(keys) != 1:
        return ""
    name, key = next(iter(keys.items()))
    return key if isinstance(key, str) and name == f"ed25519:{key}" else ""


def _private(seed: bytes) -> Any:
    from Crypto.PublicKey import ECC  # noqa: PLC0415 - imported where encryption is on

    return ECC.construct(curve="Ed25519", seed=seed)


def _unpadded(data: bytes) -> str:
    return base64.b64encode(data).decode().rstrip("=")
