"""This device's own keys, which Olm calls its account: who it is, its one-time keys and the fallback for these, its signatures.

Owns that a key is on disk before it is sent: a bot that is killed in between could never send any again. Leaves sessions and messages to
`matrix_crypto_machine`, on whose thread everything here is called.

    body = account.to_upload(12, fallback=False)    # what brings the homeserver to its fill of one-time keys, None for nothing
    account.uploaded()

Source: https://spec.matrix.org/v1.13/client-server-api/#one-time-and-fallback-keys
"""

from __future__ import annotations

from typing import Any, Final

from nio.crypto import OlmAccount
from nio.crypto.olm_machine import Olm

from bot.channels.matrix_crypto_signing import canonical

Json = dict[str, Any]

MEGOLM: Final = "m.megolm.v1.aes-sha2"


class Account:
    """The account of one device."""

    def __init__(self, olm: Olm, user: str, device: str) -> None:
        """Take the machine that keeps it."""
        self._olm, self._user, self._device = olm, user, device
        self._account: OlmAccount = olm.account
        self._fallback: Any = self._account._account  # noqa: SLF001 - nio knows no fallback keys

    @property
    def fresh(self) -> bool:
        """True until its keys were sent to the homeserver for the first time."""
        return not self._account.shared

    @property
    def fingerprint(self) -> str:
        """The key that people compare."""
        return str(self._account.identity_keys["ed25519"])

    @property
    def sender_key(self) -> str:
        """The key by which others know its sessions."""
        return str(self._account.identity_keys["curve25519"])

    def device_keys(self) -> Json:
        """Return what others are told of this device, signed by it."""
        return self._signed(
            {
                "algorithms": ["m.olm.v1.curve25519-aes-sha2", MEGOLM], "device_id": self._device, "user_id": self._user,
                "keys": {f"curve25519:{self._device}": self.sender_key, f"ed25519:{self._device}": self.fingerprint},
            }
        )  # fmt: skip

    def to_upload(self, counted: int | None, *, fallback: bool) -> Json | None:
        """Return the keys to send, on disk by now; None for nothing. `counted` one-time keys are left there, None: not told."""
        body: Json = {"device_keys": self.device_keys()} if self.fresh else {}
        left = self._unpublished()
        if not left and counted is not None and (missing := self._account.max_one_time_keys - counted) > 0:
            self._account.generate_one_time_keys(missing)
            left = self._unpublished()
        if left:
            body["one_time_keys"] = {f"signed_curve25519:{name}": self._signed({"key": key}) for name, key in left.items()}
        if fallback:
            if not self._fallback.fallback_key:
                self._fallback.generate_fallback_key()
            body["fallback_keys"] = {
                f"signed_curve25519:{name}": self._signed({"key": key.to_base64(), "fallback": True})
                for name, key in self._fallback.fallback_key.items()
            }
        if body:
            self._olm.save_account()
        return body or None

    def uploaded(self) -> None:
        """Know that the keys were taken."""
        self._account.shared = True
        self._account.mark_keys_as_published()
        self._olm.save_account()

    def sign(self, said: Json) -> str:
        """Return this device's signature of a JSON object."""
        return str(self._account.sign(canonical(said).decode()))

    def _signed(self, said: Json) -> Json:
        return {**said, "signatures": {self._user: {f"ed25519:{self._device}": self.sign(said)}}}

    def _unpublished(self) -> dict[str, str]:
        found: dict[str, str] = self._account.one_time_keys["curve25519"]
        return found
