"""Meaning for the models that ask for it: the sentences' vectors, where the embedder reads the text's language.

Owns: whether vectors are worth computing. Leaves to the pool to compute them.

    item = await with_vectors(SummaryInput.of(text, language="en"), kit.models)
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from bot.errors import ModelError
from bot.locale import Language
from bot.models.tasks import EMBED, SUMMARISE, SummaryInput, Vector
from bot.skill import Models
from skills.summarise.model import PART

ASKING: Final = "summarise.extract"
"""How the names of models begin that use vectors."""
READS_KOREAN: Final = ("multilingual", "labse", "bge-m3", "e5", "korean", ".ko")
"""What the names of embedders hold that know Hangul; over another's, words tell more than vectors.

`embed.minilm-ko` is none of them: the vectors of its v1, whose Korean is a table of words, tell no more than the words (ROUGE-1 of the golden
Korean texts .519 with and without); those of v2 and v3 were not tried."""


async def with_vectors(item: SummaryInput, models: Models, *, bulk: bool = False) -> SummaryInput:
    """Return `item` with vectors if the live model asks for them, the embedder reads the language, and the text is not too long."""
    embedder = models.live(EMBED)
    if (
        not item.sentences
        or not reads(embedder, item.language)
        or len(item.sentences) > PART
        or not models.live(SUMMARISE).startswith(ASKING)
    ):
        return item
    try:
        vectors: list[Vector] = await models.run(EMBED, item.sentences, bulk=bulk)
    except ModelError:
        return item  # its words alone make a summary, a little less good
    return replace(item, vectors=np.stack(vectors))


def reads(embedder: str, language: Language) -> bool:
    """Say whether the vectors of `embedder` (`name@revision`, "" for none) tell about a text in `language`."""
    return bool(embedder) and (language == "en" or any(mark in embedder for mark in READS_KOREAN))
