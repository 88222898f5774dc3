"""What a chat model said, without what it thought aloud before it.

spoken("<think>hm</think>Yes.")     # "Yes."
"""

from __future__ import annotations

import re

from bot import lazy

_THOUGHTS = lazy.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL)
_TAIL_OF_THOUGHTS = lazy.compile(r"\A.*?</think>", re.DOTALL)
"""Some servers leave the opening tag to the prompt."""


def spoken(text: str) -> str:
    """Return what a model said without what it thought."""
    return _TAIL_OF_THOUGHTS.sub("", _THOUGHTS.sub("", text)).strip()
