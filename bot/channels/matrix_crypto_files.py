"""Files in encrypted rooms: what is uploaded is hidden, and its key goes with the event.

    hidden, file = seal_file(b"...")         # file: the event's `file`, without its `url`
    open_file(path, file)                    # the file at `path` is as it was said, or ChannelError

Source: https://spec.matrix.org/v1.13/client-server-api/#sending-encrypted-attachments
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from bot.errors import ChannelError
from bot.locale import phrases

_ = phrases(__file__)

Json = dict[str, Any]
_PIECE_BYTES: Final = 1 << 20
_KEY_BYTES: Final = 32
_COUNTER_BYTES: Final = 16


def seal_file(data: bytes) -> tuple[bytes, Json]:
    """Return the hidden bytes, and what opens them. A key is used for one file."""
    key, counter = os.urandom(_KEY_BYTES), os.urandom(_COUNTER_BYTES // 2) + bytes(_COUNTER_BYTES // 2)
    hidden: bytes = _cipher(key, counter).encrypt(data)
    jwk = {"kty": "oct", "key_ops": ["encrypt", "decrypt"], "alg": "A256CTR", "k": _text(key, url=True), "ext": True}
    return hidden, {"v": "v2", "key": jwk, "iv": _text(counter), "hashes": {"sha256": _text(hashlib.sha256(hidden).digest())}}


def open_file(sealed: Path, file: Mapping[str, object]) -> None:
    """Put in the place of the hidden file what it holds.

    Raises:
        ChannelError: it is another file than the event names, or the event names none that can be opened.
    """
    try:
        jwk, hashes, iv = file["key"], file["hashes"], file["iv"]
        key, counter, said = _bytes(jwk["k"]), _bytes(iv), _bytes(hashes["sha256"])  # type: ignore[index]
        cipher = _cipher(key, counter)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise ChannelError(_("This encrypted file came without a key that I can use. Please send it once more.")) from None
    found = hashlib.sha256()
    for piece in _pieces(sealed):
        found.update(piece)
    if not hmac.compare_digest(found.digest(), said):
        raise ChannelError(_("This encrypted file was changed on its way, so I did not open it. Please send it once more."))
    aside = sealed.with_name(f"{sealed.name}.open")
    try:
        with aside.open("wb") as file_open:
            for piece in _pieces(sealed):
                file_open.write(cipher.decrypt(piece))
        aside.replace(sealed)
    finally:
        aside.unlink(missing_ok=True)


def _pieces(file: Path) -> Iterator[bytes]:
    with file.open("rb") as read:
        while piece := read.read(_PIECE_BYTES):
            yield piece


def _cipher(key: bytes, counter: bytes) -> Any:
    from Crypto.Cipher import AES  # noqa: PLC0415 - imported where encryption is on

    if len(key) != _KEY_BYTES or len(counter) != _COUNTER_BYTES:
        raise ValueError(len(key))
    return AES.new(key, AES.MODE_CTR, initial_value=counter, nonce=b"")


def _bytes(text: object) -> bytes:
    if not isinstance(text, str):
        raise TypeError(text)
    bare = text.rstrip("=").replace("-", "+").replace("_", "/")
    return base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)


def _text(data: bytes, *, url: bool = False) -> str:
    made = base64.urlsafe_b64encode(data) if url else base64.b64encode(data)
    return made.decode().rstrip("=")
