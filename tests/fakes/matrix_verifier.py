"""The other side of a verification, as the specification has it and with other libraries than the bot's: it begins, and compares.

    peer = Verifier("@ann:localhost", "DEVICE", key, master)
    start = peer.start(flow)
    peer.accept(content); peer.key(content)
    peer.emoji(bot_user, bot_device)          # numbers, 0 to 63
    peer.mac(bot...)                          # what it says of its own keys
    peer.checks(content, {...})               # the bot's word, checked

Source: https://spec.matrix.org/v1.13/client-server-api/#short-authentication-string-sas-verification
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

Json = dict[str, Any]


@dataclass
class Verifier:
    """One side that begins; `flow` is the transaction, or the request's event."""

    user: str
    device: str
    key: str
    flow: str
    master: str = ""
    private: X25519PrivateKey = field(default_factory=X25519PrivateKey.generate)
    started: Json = field(default_factory=dict)
    committed: str = ""
    theirs: str = ""

    @property
    def public(self) -> str:
        """This side's key of the moment."""
        raw = self.private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return _text(raw)

    def start(self, **relation: Any) -> Json:
        """Return the content of m.key.verification.start."""
        self.started = {
            "from_device": self.device, "method": "m.sas.v1", "hashes": ["sha256"],
            "key_agreement_protocols": ["curve25519-hkdf-sha256", "curve25519"],
            "message_authentication_codes": ["hkdf-hmac-sha256.v2", "hkdf-hmac-sha256"],
            "short_authentication_string": ["decimal", "emoji"], **relation,
        }  # fmt: skip
        return self.started

    def accept(self, content: Json) -> Json:
        """Take what the bot chose; return this side's key."""
        assert (content["key_agreement_protocol"], content["message_authentication_code"]) == (
            "curve25519-hkdf-sha256",
            "hkdf-hmac-sha256.v2",
        )
        self.committed = content["commitment"]
        return {"key": self.public}

    def take_key(self, content: Json) -> None:
        """Take the bot's key, which has to be the one that it bound itself to."""
        self.theirs = content["key"]
        canonical = json.dumps(self.started, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
        assert self.committed == _text(hashlib.sha256((self.theirs + canonical).encode()).digest())

    def emoji(self, user: str, device: str) -> list[int]:
        """Return the numbers of the seven emoji."""
        about = f"MATRIX_KEY_VERIFICATION_SAS|{self.user}|{self.device}|{self.public}|{user}|{device}|{self.theirs}|{self.flow}"
        bits = int.from_bytes(self._derived(about, 6), "big")
        return [bits >> 48 - 6 * (place + 1) & 63 for place in range(7)]

    def mac(self, user: str, device: str) -> Json:
        """Return this side's word for its keys."""
        keys = {self.device: self.key, **({self.master: self.master} if self.master else {})}
        about = f"MATRIX_KEY_VERIFICATION_MAC{self.user}{self.device}{user}{device}{self.flow}"
        return self._codes(keys, about)

    def checks(self, content: Json, user: str, device: str, keys: dict[str, str]) -> bool:
        """Say whether the bot's word is for these keys."""
        about = f"MATRIX_KEY_VERIFICATION_MAC{user}{device}{self.user}{self.device}{self.flow}"
        return self._codes(keys, about) == {"mac": content["mac"], "keys": content["keys"]}

    def _codes(self, keys: dict[str, str], about: str) -> Json:
        named = {f"ed25519:{name}": key for name, key in keys.items()}
        return {
            "mac": {name: self._code(key, about + name) for name, key in named.items()},
            "keys": self._code(",".join(sorted(named)), f"{about}KEY_IDS"),
        }

    def _code(self, said: str, about: str) -> str:
        return _text(hmac.new(self._derived(about, 32), said.encode(), hashlib.sha256).digest())

    def _derived(self, about: str, size: int) -> bytes:
        """HKDF (RFC 5869) without a salt."""
        shared = self.private.exchange(X25519PublicKey.from_public_bytes(base64.b64decode(self.theirs + "=")))
        made = hmac.new(bytes(32), shared, hashlib.sha256).digest()
        return hmac.new(made, about.encode() + b"\1", hashlib.sha256).digest()[:size]


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode().rstrip("=")
