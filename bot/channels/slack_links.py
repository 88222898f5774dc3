"""Links to what was said in Slack, as a browser opens them.

Owns the form of a permalink. Leaves to `bot.house` what a message is called within the bot.

    permalink("message:slack/T1/C1/1700000000.000100", {"T1": "https://acme.slack.com/"})
    # https://acme.slack.com/archives/C1/p1700000000000100

Source: https://docs.slack.dev/reference/methods/chat.getPermalink
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from bot import lazy

_SAID: Final = lazy.compile(
    r"message:slack/(?P<team>\w+)/(?P<chat>[CG]\w*)/(?P<ts>\d{1,12}\.\d{6})(?:\?thread=(?P<thread>\d{1,12}\.\d{6}))?", re.ASCII
)


def permalink(link: str, homes: Mapping[str, str]) -> str:
    """Return the address of the message that `link` names, by the addresses of the workspaces; "" for none of theirs."""
    found = _SAID.fullmatch(link)
    home = homes.get(found["team"], "") if found else ""
    if found is None or urlsplit(home).scheme not in ("https", "http"):
        return ""
    address = f"{home.rstrip('/')}/archives/{found['chat']}/p{found['ts'].replace('.', '')}"
    thread = found["thread"]
    return f"{address}?thread_ts={thread}&cid={found['chat']}" if thread and thread != found["ts"] else address
