"""`paring watch` as a program of its own, over a home that another one asks."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from fakes.program import paring


async def test_what_comes_changes_and_goes_is_followed_until_ctrl_c(tmp_path: Path) -> None:
    folder, home = tmp_path / "team", tmp_path / "home"
    folder.mkdir()
    (folder / "a.txt").write_text("The zebra eats grass.")
    watching = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "watch", str(folder), "--scope", "public",
        env=os.environ | {"PARING_HOME": str(home)}, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert watching.stdout is not None
    assert watching.stderr is not None
    try:
        assert (await watching.stdout.readline()).startswith(b"1 added, 0 replaced")
        assert await watching.stderr.readline() == b"Watching. Ctrl-C ends it.\n"
        (folder / "whale.txt").write_text("The whale is grey and sings at night.")
        assert await watching.stdout.readline() == b"added: whale.txt (passages: 1)\n"
        code, out, _complaint = await paring(home, "say", "/search when does the whale sing?", PARING_LOG_LEVEL="error")
        assert (code, "sings at night" in out) == (0, True)
        (folder / "whale.txt").unlink()
        assert await watching.stdout.readline() == f"removed: {folder}/whale.txt\n".encode()
        watching.send_signal(signal.SIGINT)
        assert await watching.stderr.read() == b"I watch no longer; what was read is kept.\n"
        assert await watching.wait() == 0
    finally:
        if watching.returncode is None:
            watching.kill()
            await watching.wait()


async def test_a_wrong_folder_or_scope_is_told(tmp_path: Path) -> None:
    for words, told in (
        (["watch", str(tmp_path / "none")], "There is no"),
        (["watch", str(tmp_path), "--scope", "x"], "is no scope"),
    ):
        code, _out, complaint = await paring(tmp_path / "home", *words)
        assert code == 2
        assert told in complaint
