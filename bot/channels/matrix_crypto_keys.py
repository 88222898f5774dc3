"""Keys on their way: this device's to the homeserver, others' from it, a room's key to everybody who is in it.

Owns when the homeserver is asked for which keys, the bot's identity that signs this device, and that one thing after the other is sent.
Leaves the ratchets to `matrix_crypto_device`, messages to `matrix_crypto`.

    keys.begin(me, wire)
    await keys.keep_up()                                                # after each sync
    hidden = await keys.hide(room, people, "m.room.message", content)   # who is there has the room's key by then

Source: https://spec.matrix.org/v1.13/client-server-api/#key-management-api
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from bot.channels.matrix_crypto_signing import Identity, only_key
from bot.channels.matrix_rooms import dict_of, strings_of
from bot.channels.matrix_wire import UnknownTokenError, path
from bot.errors import ChannelError
from bot.locale import phrases
from bot.logs import Logger

if TYPE_CHECKING:
    from bot.channels.matrix_account import Me
    from bot.channels.matrix_crypto_device import Device
    from bot.channels.matrix_crypto_sas import Party
    from bot.channels.matrix_wire import Wire

_ = phrases(__file__)
log = Logger(__name__)

Json = dict[str, Any]
Content = Mapping[str, object]


class Keys:
    """The keys of one login. Nothing is sent before `begin`."""

    def __init__(self, device: Device, folder: Path, *, password: str = "") -> None:
        """Keep the identity in `folder`; `password` lets it be made where the homeserver asks for one."""
        self._device, self._folder, self._password = device, folder, password
        self._lock = asyncio.Lock()
        self._identity: Identity | None = None
        self._counted: int | None = None
        """How many of the one-time keys are left at the homeserver, None where it has not said."""
        self._fallback = False
        self._introduced = False

    def begin(self, me: Me, wire: Wire) -> None:
        """Take the login, and how the homeserver is asked."""
        self._wire, self._user, self._name = wire, me.user, me.device
        self._introduced = False

    async def told(self, sync: Content) -> bool:
        """Take in what a sync says of devices and keys; return whether somebody's devices are others."""
        changed = list(strings_of(dict_of(sync, "device_lists"), "changed"))
        await self._device.turn(self._device.machine.devices_changed, changed)
        counts = sync.get("device_one_time_keys_count")
        if isinstance(counts, dict):
            counted = counts.get("signed_curve25519", 0)
            self._counted = counted if isinstance(counted, int) else None
        unused = sync.get("device_unused_fallback_key_types")
        self._fallback = isinstance(unused, list) and "signed_curve25519" not in unused
        return bool(changed)

    async def keep_up(self) -> None:
        """Send what is due: new one-time keys, what heals broken sessions, requests. What cannot be sent now is due again next time."""
        try:
            async with self._lock:
                if not self._introduced:
                    await self._introduce()
                if self._device.refusal is not None:  # sent, they would take the place of those that the device's owner has
                    return
                await self._upload()
                await self._claim(await self._device.turn(self._device.machine.wedged))
                await self._send_waiting()
        except UnknownTokenError:
            raise
        except ChannelError as error:
            log.info("encryption's own messages wait", reason=str(error))

    async def hide(
        self, room: str, people: Callable[[], Awaitable[Sequence[str]]], kind: str, content: Json, *, everyone: bool = False
    ) -> Json:
        """Return the content of the m.room.encrypted event, once all of `people` have the room's key.

        With `everyone` devices that are not trusted have it too. Raises ChannelError.
        """
        turn, ours = self._device.turn, self._device.machine
        async with self._lock:
            if not self._introduced:
                await self._introduce()
            if self._device.refusal is not None:
                raise ChannelError(self._device.refusal)
            there = await people()
            await self.know(there)
            await self._claim(await turn(ours.missing, there))
            for told, messages in await turn(partial(ours.shares, room, there, everyone=everyone)):
                if messages:
                    await self.to_devices("m.room.encrypted", messages)
                await turn(partial(ours.shared, room, told, everyone=everyone))
            return await turn(partial(ours.hide, room, kind, content, everyone=everyone))

    async def know(self, people: Iterable[str]) -> None:
        """Ask for the devices of those of whom they are not known as they are now."""
        asked = await self._device.turn(self._device.machine.to_ask, list(people))
        if asked:
            answer = await self._call("POST", "/v3/keys/query", {"device_keys": {user: [] for user in asked}})
            await self._device.turn(self._device.machine.told, asked, answer)

    async def to_devices(self, kind: str, messages: Json) -> None:
        """Send messages to devices alone, by user and device."""
        await self._wire.call("PUT", path("v3", "sendToDevice", kind, uuid4().hex), said={"messages": messages})

    async def own_party(self) -> Party:
        """Return this device as a side of a verification."""
        return await self._device.turn(self._device.machine.own_party, self._identity.public("master") if self._identity else "")

    async def sign_other(self, user: str) -> None:
        """Sign the identity of another user by the bot's own, where there is one."""
        master = self._device.machine.master_of(user)
        if self._identity is not None and master:
            signed = self._identity.signed("user_signing", master, self._user)
            with suppress(ChannelError):
                await self._call("POST", "/v3/keys/signatures/upload", {user: {only_key(master, user): signed}})

    # This device, at the homeserver.

    async def _introduce(self) -> None:
        """Tell the homeserver this device's keys, and sign them by the bot's identity."""
        ours = self._device.machine
        answer = await self._call("POST", "/v3/keys/query", {"device_keys": {self._user: []}})
        await self._device.turn(ours.told, [self._user], answer)
        known = dict_of(dict_of(dict_of(answer, "device_keys"), self._user), self._name)
        named = dict_of(known, "keys").get(f"ed25519:{self._name}")
        if named is not None and named != ours.account.fingerprint:
            self._refuse()
            return
        self._device.refusal = None
        self._counted = 0 if ours.account.fresh else self._counted
        await self._upload()
        try:
            await self._identify(answer)
        except UnknownTokenError:
            raise
        except ChannelError as error:
            log.warning("the bot's device is not signed by an identity", reason=str(error))
        self._introduced = True
        log.info("encrypted rooms are read", device=self._name, fingerprint=ours.account.fingerprint)

    def _refuse(self) -> None:
        self._device.refusal = _(
            "The bot's Matrix device {device} has keys that this home does not hold (it was restored from a backup, or the token is used "
            "elsewhere too). Give it a new token, or a password: encrypted rooms need a device of their own.",
            device=self._name,
        )
        self._introduced = True
        log.error(
            "the Matrix device has keys that this home does not hold: encrypted rooms need a device of their own",
            device=self._name,
        )

    async def _identify(self, answer: Json) -> None:
        named = only_key(dict_of(answer, "master_keys").get(self._user), self._user)
        identity = await asyncio.to_thread(Identity.load, self._folder)
        if named and (identity is None or identity.public("master") != named):
            log.warning("the bot's account has an identity that was made elsewhere: verify this device from there, by its emoji")
            return
        if identity is None:
            identity = await asyncio.to_thread(Identity.make, self._folder)
        if not named:
            master = identity.key("master", self._user)
            signature = await self._device.turn(self._device.machine.account.sign, master)
            body = identity.uploaded_keys(self._user, self._name, signature)
            if self._password:
                who = {"type": "m.id.user", "user": self._user}
                body["auth"] = {"type": "m.login.password", "identifier": who, "password": self._password}
            await self._call("POST", "/v3/keys/device_signing/upload", body)
        self._identity = identity
        keys = await self._device.turn(self._device.machine.account.device_keys)
        signed = identity.signed("self_signing", keys, self._user)
        await self._call("POST", "/v3/keys/signatures/upload", {self._user: {self._name: signed}})

    async def _upload(self) -> None:
        ours = self._device.machine
        body = await self._device.turn(
            lambda: ours.account.to_upload(self._counted, fallback=self._fallback or ours.account.fresh)
        )
        if body is not None:
            answer = await self._call("POST", "/v3/keys/upload", body)
            await self._device.turn(ours.account.uploaded)
            counted = dict_of(answer, "one_time_key_counts").get("signed_curve25519")
            self._counted = counted if isinstance(counted, int) else self._counted
            self._fallback = False

    # Others' devices.

    async def _claim(self, wanted: Json) -> None:
        if wanted:
            answer = await self._call("POST", "/v3/keys/claim", {"one_time_keys": wanted})
            await self._device.turn(self._device.machine.claimed, wanted, answer)

    async def _send_waiting(self) -> None:
        for kind, messages in await self._device.turn(self._device.machine.outgoing):
            await self.to_devices(kind, messages)
            await self._device.turn(self._device.machine.outgoing_sent, 1)

    async def _call(self, method: str, where: str, body: Json) -> Json:
        return dict(await self._wire.call(method, where, said=body))
