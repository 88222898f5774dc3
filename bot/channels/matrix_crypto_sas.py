"""One verification by emoji (SAS), on the side of the one that was asked: from the other's `start` to both sides' word.

Owns the protocol's sums and their order. nio's own does not work with other clients (its commitment is in hexadecimal, its emoji are cut
from the wrong bits, its authentication code is the one that libolm made wrong). Leaves messages and people to `matrix_crypto_verifying`.

    sas = Sas(ours, theirs, flow)
    accept = sas.start(content)
    key = sas.key(content)
    sas.emoji()                  # seven pairs, the same on both sides
    sas.mac(content)             # theirs is right, or Cancelled
    mac = sas.confirm()          # ours, once a person has compared

Source: https://spec.matrix.org/v1.13/client-server-api/#short-authentication-string-sas-verification
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from typing import Any, Final

import vodozemac

from bot.channels.matrix_crypto_signing import canonical

Json = dict[str, Any]

METHOD: Final = "m.sas.v1"
AGREEMENT: Final = "curve25519-hkdf-sha256"
CODE: Final = "hkdf-hmac-sha256.v2"
HASH: Final = "sha256"
EMOJI: Final = (
    ("🐶", "Dog", "개"),
    ("🐱", "Cat", "고양이"),
    ("🦁", "Lion", "사자"),
    ("🐎", "Horse", "말"),
    ("🦄", "Unicorn", "유니콘"),
    ("🐷", "Pig", "돼지"),
    ("🐘", "Elephant", "코끼리"),
    ("🐰", "Rabbit", "토끼"),
    ("🐼", "Panda", "판다"),
    ("🐓", "Rooster", "수탉"),
    ("🐧", "Penguin", "펭귄"),
    ("🐢", "Turtle", "거북이"),
    ("🐟", "Fish", "물고기"),
    ("🐙", "Octopus", "문어"),
    ("🦋", "Butterfly", "나비"),
    ("🌷", "Flower", "꽃"),
    ("🌳", "Tree", "나무"),
    ("🌵", "Cactus", "선인장"),
    ("🍄", "Mushroom", "버섯"),
    ("🌏", "Globe", "지구본"),
    ("🌙", "Moon", "달"),
    ("☁️", "Cloud", "구름"),
    ("🔥", "Fire", "불"),
    ("🍌", "Banana", "바나나"),
    ("🍎", "Apple", "사과"),
    ("🍓", "Strawberry", "딸기"),
    ("🌽", "Corn", "옥수수"),
    ("🍕", "Pizza", "피자"),
    ("🎂", "Cake", "케이크"),
    ("❤️", "Heart", "하트"),
    ("😀", "Smiley", "웃는 얼굴"),
    ("🤖", "Robot", "로봇"),
    ("🎩", "Hat", "모자"),
    ("👓", "Glasses", "안경"),
    ("🔧", "Spanner", "스패너"),
    ("🎅", "Santa", "산타"),
    ("👍", "Thumbs Up", "엄지"),
    ("☂️", "Umbrella", "우산"),
    ("⌛", "Hourglass", "모래시계"),
    ("⏰", "Clock", "시계"),
    ("🎁", "Gift", "선물"),
    ("💡", "Light Bulb", "전구"),
    ("📕", "Book", "책"),
    ("✏️", "Pencil", "연필"),
    ("📎", "Paperclip", "클립"),
    ("✂️", "Scissors", "가위"),
    ("🔒", "Lock", "자물쇠"),
    ("🔑", "Key", "열쇠"),
    ("🔨", "Hammer", "망치"),
    ("☎️", "Telephone", "전화기"),
    ("🏁", "Flag", "깃발"),
    ("🚂", "Train", "기차"),
    ("🚲", "Bicycle", "자전거"),
    ("✈️", "Aeroplane", "비행기"),
    ("🚀", "Rocket", "로켓"),
    ("🏆", "Trophy", "트로피"),
    ("⚽", "Ball", "공"),
    ("🎸", "Guitar", "기타"),
    ("🎺", "Trumpet", "트럼펫"),
    ("🔔", "Bell", "종"),
    ("⚓", "Anchor", "닻"),
    ("🎧", "Headphones", "헤드폰"),
    ("📁", "Folder", "폴더"),
    ("📌", "Pin", "핀"),
)
"""(emoji, its name in English, in Korean), by number.

Source: https://spec.matrix.org/v1.13/client-server-api/#sas-method-emoji
"""


class Cancelled(Exception):  # noqa: N818 - what the protocol calls it
    """The verification ends here: `code` is what the other side is told."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Party:
    """One side: a device, its key, and the key of its owner's identity ("" for none)."""

    user: str
    device: str
    key: str
    master: str = ""


class Sas:
    """One verification that the other side has started; what comes out of order cancels it."""

    def __init__(self, ours: Party, theirs: Party, flow: str) -> None:
        self._ours, self.theirs, self._flow = ours, theirs, flow
        self._sas = vodozemac.Sas()
        self._established: vodozemac.EstablishedSas | None = None
        self._their_key = ""
        self._accepted = False
        self.checked = False
        """True once the other side's word was right."""
        self.confirmed = False
        """True once a person on this side gave theirs."""
        self.identity = ""
        """The identity's key that their word was given for as well, "" for none."""

    def start(self, content: Json) -> Json:
        """Return what accepts the other's start."""
        offered = {"key_agreement_protocols": AGREEMENT, "hashes": HASH, "message_authentication_codes": CODE,
                   "short_authentication_string": "emoji"}  # fmt: skip
        if content.get("method") != METHOD or any(wanted not in _list(content.get(name)) for name, wanted in offered.items()):
            raise Cancelled("m.unknown_method")
        if self._accepted:
            raise Cancelled("m.unexpected_message")
        self._accepted = True
        committed = hashlib.sha256(self._sas.public_key.to_base64().encode() + canonical(content)).digest()
        return {"key_agreement_protocol": AGREEMENT, "hash": HASH, "message_authentication_code": CODE,
                "short_authentication_string": ["emoji"], "commitment": base64.b64encode(committed).decode().rstrip("=")}  # fmt: skip

    def key(self, content: Json) -> Json:
        """Return this side's key for the other's."""
        if not self._accepted or self._established is not None:
            raise Cancelled("m.unexpected_message")
        try:
            self._their_key = content["key"]
            self._established = self._sas.diffie_hellman(vodozemac.Curve25519PublicKey.from_base64(self._their_key))
        except (KeyError, TypeError, ValueError):
            raise Cancelled("m.invalid_message") from None
        return {"key": self._sas.public_key.to_base64()}

    def emoji(self) -> list[tuple[str, ...]]:
        """Return the seven that people compare."""
        if self._established is None:
            raise Cancelled("m.unexpected_message")
        theirs, ours = self.theirs, self._ours
        about = (
            f"MATRIX_KEY_VERIFICATION_SAS|{theirs.user}|{theirs.device}|{self._their_key}"
            f"|{ours.user}|{ours.device}|{self._sas.public_key.to_base64()}|{self._flow}"
        )
        return [EMOJI[index] for index in self._established.bytes(about).emoji_indices]

    def mac(self, content: Json) -> None:
        """Check the other side's word for its keys."""
        codes, over = content.get("mac"), content.get("keys")
        if self._established is None or self.checked:
            raise Cancelled("m.unexpected_message")
        if not isinstance(codes, dict) or not codes or not isinstance(over, str):
            raise Cancelled("m.invalid_message")
        about = self._about(self.theirs, self._ours)
        if not hmac.compare_digest(over, self._established.calculate_mac(",".join(sorted(codes)), f"{about}KEY_IDS")):
            raise Cancelled("m.key_mismatch")
        known = {f"ed25519:{self.theirs.device}": self.theirs.key}
        if self.theirs.master:
            known[f"ed25519:{self.theirs.master}"] = self.theirs.master
        for name, key in known.items():
            if name in codes and codes[name] != self._established.calculate_mac(key, about + name):
                raise Cancelled("m.key_mismatch")
        if f"ed25519:{self.theirs.device}" not in codes:
            raise Cancelled("m.key_mismatch")
        self.identity = self.theirs.master if f"ed25519:{self.theirs.master}" in codes else ""
        self.checked = True

    def confirm(self) -> Json:
        """Return this side's word: a person has compared."""
        if self._established is None:
            raise Cancelled("m.unexpected_message")
        self.confirmed = True
        about = self._about(self._ours, self.theirs)
        keys = {f"ed25519:{self._ours.device}": self._ours.key}
        if self._ours.master:
            keys[f"ed25519:{self._ours.master}"] = self._ours.master
        return {"mac": {name: self._established.calculate_mac(key, about + name) for name, key in keys.items()},
                "keys": self._established.calculate_mac(",".join(sorted(keys)), f"{about}KEY_IDS")}  # fmt: skip

    def _about(self, giver: Party, taker: Party) -> str:
        return f"MATRIX_KEY_VERIFICATION_MAC{giver.user}{giver.device}{taker.user}{taker.device}{self._flow}"


def _list(found: object) -> list[object]:
    return found if isinstance(found, list) else []
