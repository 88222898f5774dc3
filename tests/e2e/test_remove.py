"""`paring remove`: what was added is found no more, also where its folder is gone, and no byte of it stays."""

from __future__ import annotations

import shutil
from pathlib import Path

from fakes.program import paring

WORD = "qvelphant"


async def test_what_was_added_from_a_folder_that_is_gone_is_taken_out_to_the_bytes(tmp_path: Path) -> None:
    folder, home = tmp_path / "team", tmp_path / "home"
    (folder / "deep").mkdir(parents=True)
    for name in ("a.txt", "deep/b.txt"):
        (folder / name).write_text(f"The {WORD} of {name} sings at night.")
    (tmp_path / "team2.txt").write_text("The walrus sleeps at noon.")
    await paring(home, "add", str(folder), str(tmp_path / "team2.txt"))
    shutil.rmtree(folder)

    code, out, _complaint = await paring(home, "remove", str(folder), "--json")
    assert (code, out.count("team/")) == (0, 2)
    assert [file for file in home.rglob("*") if file.is_file() and WORD.encode() in file.read_bytes()] == []
    _code, out, _complaint = await paring(home, "say", "/search when does the walrus sleep?")
    assert "at noon" in out
    code, _out, complaint = await paring(home, "remove", str(folder))
    assert (code, "Nothing in the search" in complaint) == (1, True)
