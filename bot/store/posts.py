"""What only one of the bots of a home may do at a time: ask a platform for what comes in for an account, serve a page on a port.

A post is a file that is locked by who holds it, so that the kernel frees it when that process ends, also after kill -9. The file
stays: taking it away would let two hold what is one post.

    posts = Posts(home)
    posts.take("telegram 7")      # False while another process holds it
    posts.leave("telegram 7")
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from urllib.parse import quote

FOLDER = "posts"


class Posts:
    """The posts of a home, as one process sees them."""

    def __init__(self, home: Path) -> None:
        """Take the home; nothing is held yet."""
        self._folder = home / FOLDER
        self._held: dict[str, int] = {}

    def take(self, name: str) -> bool:
        """Take the post where nobody holds it; return whether it is held now. It is left with the process at the latest.

        Raises:
            OSError: the home cannot be written.
        """
        if name in self._held:
            return True
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(self._folder / quote(name, safe=""), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return False
        except BaseException:
            os.close(handle)
            raise
        self._held[name] = handle
        return True

    def leave(self, name: str) -> None:
        """Give up the post."""
        handle = self._held.pop(name, None)
        if handle is not None:
            os.close(handle)
