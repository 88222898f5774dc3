"""A room's past, read in from a real homeserver by the order of who has power in the admins' room."""

from __future__ import annotations

from pathlib import Path

from fakes.homeserver import Homeserver
from fakes.matrix_person import person
from fakes.program import bot


async def test_who_has_power_has_a_rooms_past_read_in_and_nobody_else(homeserver: Homeserver, tmp_path: Path) -> None:
    account = await homeserver.register("paring")
    us = account.user
    async with person(homeserver, "ann") as ann, person(homeserver, "ben") as ben:
        admins = await ann.room(us)
        group = await ann.room(ben.user)
        await ben.join(group)
        await ann.until(lambda: ben.user in ann.members(group))
        said = await ann.say(group, "The spare key of the bicycle lies on the roof.")
        await ann.edit(group, said, "The spare key of the bicycle lies under the third flower pot.")
        await ben.say(group, "The printer on the second floor wants blue paper.")
        await ann.invite(group, us)
        variables = account.variables(homeserver.url, PARING_MATRIX__ADMIN_ROOM=admins)
        async with bot(tmp_path / "home", **variables) as program:
            await ann.until(lambda: us in ann.members(group) and us in ann.members(admins))
            await ben.until(lambda: us in ben.members(group))
            await ben.say(group, "!index history")
            await ben.until(lambda: ben.said(group, by=us, words="Only an admin"))
            await ann.say(group, "!index history")
            await ann.until(lambda: ann.said(group, by=us, words="what was said here before"))
            for count in range(3, 40):
                await ann.say(group, "!index")
                await ann.until(lambda count=count: len(ann.said(group, by=us)) >= count)  # type: ignore[misc]
                if ann.said(group, by=us, words="is read:"):
                    break
            await ben.say(group, f"{us} where does the spare key of the bicycle lie?", mentions=[us])
            await ben.until(lambda: ben.said(group, by=us, words="flower pot"))
            assert await program.stop() == 0
