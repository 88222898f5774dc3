"""Encryption of one device on one homeserver: what comes in is read, what goes out is hidden, and nothing of it awaits.

Owns nio's Olm machine, mended where it breaks: bytes of strangers raise nothing (nio's sync ends with them), a key of a session is not
overwritten by a later one, and a message counts as its sender's only where the key that it was hidden with is of a device of theirs.
Leaves this device's own keys to `matrix_crypto_account`. Everything is called on one thread, which `matrix_crypto_device` owns.

    machine = Machine(folder, "@paring:example.org", "DEVICE", kept, trust="anyone")
    machine.heard({"type": "m.room.encrypted", ...})        # to this device alone: keys
    machine.read("!room:example.org", event).content

Source: https://spec.matrix.org/v1.13/client-server-api/#end-to-end-encryption
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import vodozemac
from nio.crypto import InboundGroupSession, OlmDevice, OutboundGroupSession, OutgoingKeyRequest, Session
from nio.crypto.olm_machine import Olm
from nio.events import ToDeviceEvent
from nio.exceptions import EncryptionError
from nio.responses import KeysClaimResponse, KeysQueryResponse
from nio.store import SqliteStore

from bot.channels.matrix_crypto_account import MEGOLM, Account
from bot.channels.matrix_crypto_kept import Kept
from bot.channels.matrix_crypto_sas import Party
from bot.channels.matrix_crypto_signing import only_key, signed_by
from bot.channels.matrix_crypto_told import Unread
from bot.logs import Logger

Json = dict[str, Any]
Trust = Literal["anyone", "owner", "verified"]
"""Whose messages are read: of every device that the homeserver names, of those that their owner has signed, of those verified here."""

log = Logger(__name__)

DEVICES_AT_ONCE: Final = 50
_DATABASE: Final = "olm.db"
_FOREIGN: Final = (
    ValueError, KeyError, TypeError, AttributeError, AssertionError, RecursionError, EncryptionError,
)  # fmt: skip
"""What nio and vodozemac raise over what somebody sent; vodozemac's own errors are ValueErrors."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What was told to this device alone, in clear."""

    kind: str
    sender: str
    content: Json


class _Machine(Olm):  # type: ignore[misc]
    """nio's machine without what breaks in it."""

    def create_group_session(self, sender_key: str, sender_fp_key: str, room_id: str, session_id: str, session_key: str) -> None:
        """Take a room's key, unless that device gave it from earlier on: a later one reads less."""
        known = self.inbound_group_store.get(room_id, sender_key, session_id)
        made = InboundGroupSession(session_key, sender_fp_key, sender_key, room_id)
        if known is None or known.first_known_index > made.first_known_index:
            super().create_group_session(sender_key, sender_fp_key, room_id, session_id, session_key)

    def hide_for(self, session: Session, device: OlmDevice, kind: str, content: Json) -> Json:
        """Return a message to one device."""
        hidden: Json = self._olm_encrypt(session, device, kind, content)
        return hidden

    def _handle_forwarded_room_key_event(self, sender: str, sender_key: str, payload: Json) -> Any:
        """Take a key that its own device sends again on being asked; from others as nio does."""
        content = payload["content"]
        asked = self.outgoing_key_requests.get(content["session_id"])
        own = content["sender_key"] == sender_key and content["sender_claimed_ed25519_key"] == payload["keys"]["ed25519"]
        if asked is None or not own or content["room_id"] != asked.room_id:
            return super()._handle_forwarded_room_key_event(sender, sender_key, payload)
        session = self._import_group_session(
            content["session_key"], payload["keys"]["ed25519"], sender_key, content["room_id"], []
        )
        if session is None or session.id != content["session_id"]:
            return None
        self.inbound_group_store.add(session)
        self.save_inbound_group_session(session)
        return None


class Machine:
    """One device; `kept` remembers beside nio's store what that does not."""

    def __init__(self, folder: Path, user: str, device: str, kept: Kept, *, trust: Trust) -> None:
        self.user, self.device = user, device
        self._kept, self._trust = kept, trust
        os.close(os.open(folder / _DATABASE, os.O_CREAT | os.O_RDWR, 0o600))
        self._olm = _Machine(user, device, SqliteStore(user, device, os.fspath(folder), "paring", _DATABASE))
        self.account = Account(self._olm, user, device)
        self._changed: set[str] = set()
        self.masters: dict[str, str] = {}
        """Per user asked about since the start, the key that signs their devices' keys; "" for none."""
        self._masters: dict[str, Json] = {}
        self._signed: set[tuple[str, str]] = set()
        self._outbound: dict[tuple[str, bool], OutboundGroupSession] = {}
        """The keys of what is said, by room and who may read it. Never kept: a ratchet that a backup, or a kill, takes back hides nothing."""

    def close(self) -> None:
        """Close the store."""
        self._olm.store.database.close()

    def heard(self, event: Json) -> Heard | None:
        """Take what came to this device alone; return what is not of encryption's own, in clear. Never raises over what was sent."""
        kind, sender, content = event.get("type"), event.get("sender"), event.get("content")
        if not isinstance(kind, str) or not isinstance(sender, str) or not isinstance(content, dict):
            return None
        if kind != "m.room.encrypted":
            return Heard(kind, sender, content)
        try:
            parsed = ToDeviceEvent.parse_event(event)
            if parsed is not None:
                self._olm.handle_to_device_event(parsed)
        except _FOREIGN as error:
            log.info("a key that came could not be taken", error=type(error).__name__)
        except BaseException as error:  # vodozemac's panics are not Exceptions
            if type(error).__name__ != "PanicException":
                raise
            log.warning("a key that came broke the library that reads it")
        self._olm.save_account()  # nio saves it before the one-time key is used
        return None

    def devices_changed(self, users: Iterable[str]) -> None:
        """Know that these have other devices now."""
        self._changed.update(user for user in users if user in self._olm.tracked_users)

    def to_ask(self, people: Iterable[str]) -> list[str]:
        """Return those of whose devices the homeserver has to be asked."""
        return sorted(user for user in set(people) if user not in self._olm.tracked_users or user in self._changed)

    def told(self, asked: Sequence[str], answer: Json) -> None:
        """Take what the homeserver told of people's devices. What is not signed as it should be is left out."""
        devices = {
            user: found for user, found in _dict(answer, "device_keys").items() if user in asked and isinstance(found, dict)
        }
        failed = _dict(answer, "failures")
        for user in asked:
            if user not in devices and user.partition(":")[2] in failed:
                continue  # their server does not answer: what was known of them stands
            sound = {name: keys for name, keys in devices.get(user, {}).items() if _is_device(user, name, keys)}
            try:
                self._olm.handle_response(KeysQueryResponse({user: sound}, {}))
            except _FOREIGN as error:
                log.info("the devices of one user could not be taken", error=type(error).__name__)
            self._take_identity(user, answer, sound)
            self._olm.tracked_users.add(user)
            self._changed.discard(user)
            self._olm.users_for_key_query.discard(user)

    def _take_identity(self, user: str, answer: Json, devices: Mapping[str, Json]) -> None:
        """Know which devices their owner has signed, by the key that was pinned when it was first seen."""
        master = _dict(answer, "master_keys").get(user)
        signing = _dict(answer, "self_signing_keys").get(user)
        key = only_key(master, user)
        self.masters[user] = key
        self._masters[user] = master if key and isinstance(master, dict) else {}
        self._signed = {one for one in self._signed if one[0] != user}
        if not key or self._kept.pin(user, key) != key:
            return
        below = only_key(signing, user)
        if not below or not signed_by(signing, user, key):
            return
        self._signed |= {(user, name) for name, keys in devices.items() if signed_by(keys, user, below)}

    def missing(self, people: Sequence[str]) -> Json:
        """Return the one-time keys to be claimed so that all devices of these can be sent something."""
        found: dict[str, dict[str, str]] = {}
        for device in self._devices(people):
            if not self._olm.session_store.get(device.curve25519) and not self._kept.claimed_lately(device.user_id, device.id):
                found.setdefault(device.user_id, {})[device.id] = "signed_curve25519"
        return found

    def wedged(self) -> Json:
        """Return the one-time keys to be claimed for devices whose messages to this one cannot be read any more."""
        found: dict[str, dict[str, str]] = {}
        for device in self._olm.wedged_devices[:DEVICES_AT_ONCE]:
            found.setdefault(device.user_id, {})[device.id] = "signed_curve25519"
        return found

    def claimed(self, asked: Json, answer: Json) -> None:
        """Begin sessions with the keys that were claimed."""
        for user, devices in asked.items():
            for device in devices:
                keys = _dict(_dict(answer, "one_time_keys"), user).get(device)
                try:
                    self._olm.handle_response(KeysClaimResponse({user: {device: keys}}, {}))
                except (*_FOREIGN, StopIteration):
                    log.info("a device's one-time key was not usable")
                if self._has_session(user, device):
                    continue
                self._kept.claim(user, device)
                self._olm.wedged_devices[:] = [one for one in self._olm.wedged_devices if (one.user_id, one.id) != (user, device)]

    def outgoing(self) -> list[tuple[str, Json]]:
        """Return what waits to be sent to other devices: its kind and whom."""
        waiting = list(self._olm.outgoing_to_device_messages)
        return [(message.type, message.as_dict()["messages"]) for message in waiting]

    def outgoing_sent(self, number: int) -> None:
        """Know that the first `number` of them were sent."""
        del self._olm.outgoing_to_device_messages[:number]

    def shares(self, room: str, people: Sequence[str], *, everyone: bool) -> list[tuple[set[tuple[str, str]], Json]]:
        """Return the messages that tell a room's key to the devices of `people`; each is to be sent, then `shared` called.

        With `everyone` it is the key of what may be read by devices that are not trusted: the conversation of a verification.
        """
        devices = self._devices(people, everyone=everyone)
        targets = {(device.user_id, device.id): device for device in devices}
        session = self._outbound.get((room, everyone))
        if session is None or session.expired or session.users_shared_with - targets.keys():
            session = self._outbound[room, everyone] = OutboundGroupSession()
            session.shared = True
        left = [device for who, device in targets.items() if who not in session.users_shared_with]
        return [
            self._share(room, session, left[first : first + DEVICES_AT_ONCE]) for first in range(0, len(left), DEVICES_AT_ONCE)
        ]

    def _share(self, room: str, group: OutboundGroupSession, devices: Sequence[OlmDevice]) -> tuple[set[tuple[str, str]], Json]:
        content = {"algorithm": MEGOLM, "room_id": room, "session_id": group.id, "session_key": group.session_key}
        told: set[tuple[str, str]] = set()
        messages: Json = {}
        for device in devices:
            session = self._olm.session_store.get(device.curve25519)
            if session is not None:
                messages.setdefault(device.user_id, {})[device.id] = self._olm.hide_for(session, device, "m.room_key", content)
                told.add((device.user_id, device.id))
        return told, messages

    def shared(self, room: str, told: set[tuple[str, str]], *, everyone: bool) -> None:
        """Know who has the room's key."""
        self._outbound[room, everyone].users_shared_with |= told

    def hide(self, room: str, kind: str, content: Json, *, everyone: bool) -> Json:
        """Return the content of the m.room.encrypted event; what a message relates to stays readable, as the homeserver needs it."""
        session = self._outbound[room, everyone]
        relates = content.get("m.relates_to")
        said = json.dumps({"type": kind, "content": content, "room_id": room}, ensure_ascii=False)  # half the bytes of Hangul
        return {
            "algorithm": MEGOLM, "sender_key": self.account.sender_key, "device_id": self.device,
            "session_id": session.id, "ciphertext": session.encrypt(said.encode("utf-8", "replace").decode()),
            **({"m.relates_to": relates} if relates else {}),
        }  # fmt: skip

    def forget_room(self, room: str) -> None:
        """Begin anew where the bot comes back to a room."""
        for everyone in (False, True):
            self._outbound.pop((room, everyone), None)

    def read(self, room: str, event: Json) -> Json:
        """Return the event in clear, with the device that it came from, and whether that is trusted; again gives the same.

        Raises:
            Unread: and why.
        """
        content = event.get("content")
        session = self._session(room, event) if isinstance(content, dict) else None
        if session is None or not isinstance(content, dict):
            raise Unread(self._why_missing(room, content))
        try:
            plain, index = session.decrypt(content["ciphertext"])
            said = json.loads(plain)
            kind, inner = said["type"], said["content"]
        except vodozemac.MegolmDecryptionException as error:
            raise Unread("earlier" if "index" in str(error) else "broken") from None
        except _FOREIGN:
            raise Unread("broken") from None
        if said.get("room_id") != room or not isinstance(kind, str) or not isinstance(inner, dict):
            raise Unread("foreign")
        device = self._sender(event["sender"], session)
        if not self._kept.is_first(session.id, index, event["event_id"]):
            raise Unread("replayed")
        if relates := content.get("m.relates_to"):
            inner.setdefault("m.relates_to", relates)
        return {
            **event,
            "type": kind,
            "content": inner,
            "device": device.id,
            "trusted": self._trusts(device),
        }

    def _session(self, room: str, event: Json) -> InboundGroupSession | None:
        """Return the session by its id, and where several devices gave it, the sender's.

        The sender's key in an event is deprecated, and is whatever was written there.
        """
        wanted = event["content"].get("session_id")
        given = [sessions[wanted] for sessions in self._olm.inbound_group_store[room].values() if wanted in sessions]
        own = {device.curve25519 for device in self._olm.device_store[event["sender"]].values()}
        return next((one for one in given if one.sender_key in own), given[0] if given else None)

    def _why_missing(self, room: str, content: object) -> Literal["missing", "withheld", "broken"]:
        if not isinstance(content, dict) or content.get("algorithm") != MEGOLM or not isinstance(content.get("session_id"), str):
            return "broken"
        return "withheld" if self._kept.withheld(room, content["session_id"]) else "missing"

    def _sender(self, sender: str, session: InboundGroupSession) -> OlmDevice:
        for device in self._olm.device_store[sender].values():
            if (device.curve25519, device.ed25519) == (session.sender_key, session.ed25519):
                return device
        raise Unread("foreign")

    def _trusts(self, device: OlmDevice) -> bool:
        who = (device.user_id, device.id)
        if self._kept.pinned_another(device.user_id, self.masters.get(device.user_id, "")):
            return self.verified(*who)
        return self._trust == "anyone" or self.verified(*who) or (self._trust == "owner" and who in self._signed)

    def verified(self, user: str, device: str) -> bool:
        """Say whether a person has compared the emoji of that device, or of the identity that has signed it."""
        found = self._olm.device_store[user].get(device)
        if found is None:
            return False
        if self._olm.is_device_verified(found):
            return True
        return (user, device) in self._signed and self._kept.verified_master(user) == self.masters.get(user, "") != ""

    def verify(self, user: str, device: str) -> None:
        """Know that a person has compared its emoji."""
        found = self._olm.device_store[user].get(device)
        if found is not None:
            self._olm.verify_device(found)

    def party(self, user: str, device: str) -> Party | None:
        """Return a device as a side of a verification, None for none that is known."""
        found = self._olm.device_store[user].get(device)
        return None if found is None or found.deleted else Party(user, device, found.ed25519, self.masters.get(user, ""))

    def own_party(self, master: str) -> Party:
        """Return this device as a side of a verification, with the identity's key."""
        return Party(self.user, self.device, self.account.fingerprint, master)

    def master_of(self, user: str) -> Json:
        """Return the identity of a user as the homeserver told it, {} for none."""
        return self._masters.get(user, {})

    def ask_for(self, room: str, event: Json) -> Json | None:
        """Return the request that asks the device a message came from for its key, once a session; None where that was done."""
        content = event["content"]
        session = content["session_id"]
        if session in self._olm.outgoing_key_requests:
            return None
        self._remember_request(room, session)
        body = {"algorithm": MEGOLM, "room_id": room, "session_id": session, "sender_key": content.get("sender_key", "")}
        said = {"action": "request", "body": body, "request_id": session, "requesting_device_id": self.device}
        device = content.get("device_id")
        return {event["sender"]: {device if isinstance(device, str) else "*": said}}

    def asked_no_more(self, event: Json) -> Json | None:
        """Return what takes back the request for a message's key, None where there was none."""
        request = self._olm.outgoing_key_requests.pop(event["content"].get("session_id"), None)
        if request is None:
            return None
        self._olm.store.remove_outgoing_key_request(request)
        said = {"action": "request_cancellation", "request_id": request.request_id, "requesting_device_id": self.device}
        device = event["content"].get("device_id")
        return {event["sender"]: {device if isinstance(device, str) else "*": said}}

    def _remember_request(self, room: str, session: str) -> None:
        request = OutgoingKeyRequest(session, session, room, MEGOLM)
        self._olm.outgoing_key_requests[session] = request
        self._olm.store.add_outgoing_key_request(request)

    def _devices(self, people: Iterable[str], *, everyone: bool = True) -> Iterator[OlmDevice]:
        for user in people:
            for device in list(self._olm.device_store.active_user_devices(user)):
                if (user, device.id) != (self.user, self.device) and (everyone or self._trusts(device)):
                    yield device

    def _has_session(self, user: str, device: str) -> bool:
        found = self._olm.device_store[user].get(device)
        return found is not None and self._olm.session_store.get(found.curve25519) is not None


def _dict(of: Any, name: str) -> Json:
    found = of.get(name) if isinstance(of, dict) else None
    return found if isinstance(found, dict) else {}


def _is_device(user: str, name: str, keys: object) -> bool:
    if not isinstance(keys, dict) or keys.get("user_id") != user or keys.get("device_id") != name:
        return False
    own = _dict(keys, "keys").get(f"ed25519:{name}")
    curve = _dict(keys, "keys").get(f"curve25519:{name}")
    try:
        vodozemac.Curve25519PublicKey.from_base64(str(curve))
    except ValueError:
        return False
    return isinstance(own, str) and signed_by(keys, user, own, name)
