"""What is asked of a picture's text by the words that come with it: "when is the rent due?" under a photo of a letter.

Owns telling such a question from other words, and from one about how the picture looks. Leaves to the library whether the text answers.

    question_in("Please tell me when the rent is due")     # "when the rent is due"
    question_in("what colour is the car?")                 # ""
"""

from __future__ import annotations

import re
from typing import Final

from bot import lazy
from bot.retrieval.spoken import is_question
from bot.text.gaps import narrowed
from bot.text.query import looked_for

LONGEST_QUESTION: Final = 500
"""Characters: what is longer is no question about a picture."""
_ORDER = lazy.compile(
    r"^\s*(?:(?:please|hey|ok)[ ,]+|(?:can|could|would) you (?:please )?)*(?:find|look up|look for|tell me|show me|give me|check)\b"
    r"|(?:알려|찾아|말해|가르쳐|확인해|읽어)\s?(?:줘|줘요|주세요|주라|줄래|줄래요|주실래요|봐|봐요|봐줘)\s*[.!~]*\s*$",
    re.IGNORECASE,
)
_LOOKS = lazy.compile(
    r"\bcolou?r(?:s|ed)?\b|\blooks?\s+like\b|\b(?:do|can|did)\s+you\s+see\b|\bdescribe\b"
    r"|\b(?:does|do|is|are)\s+(?:this|that|it|these|the\s+(?:picture|photo|image|screenshot)s?)\s+show(?:ing|n)?\b"
    r"|\b(?:what|who)(?:['’]?s|\s+is|\s+are)\s+(?:this|that|it|these|those|(?:in|on)\s+(?:this|that|the)\s+(?:picture|photo|image|screenshot))"
    r"\s*[?!.]*\s*$"
    r"|(?<![가-힣])색(?:깔|상)?(?:[은는이을]|$|[\s?])|(?:무슨|어떤)\s?색|생겼|보여[?？]|보이[나니는]|묘사"
    r"|(?<![가-힣])(?:이게|이건|이거|저게|저건|저거)\s*(?:뭐|무엇|뭔|누구)|(?:사진|그림|이미지)(?:에|속에|은|는|이)?\s*(?:뭐|무엇|뭔|누구)",
    re.IGNORECASE,
)


def question_in(text: str) -> str:
    """Return what `text` asks of a picture's text, "" where it asks nothing, or how the picture looks."""
    said = narrowed(text).strip()
    if not said or len(said) > LONGEST_QUESTION or not (is_question(said) or _ORDER.search(said)) or _LOOKS.search(said):
        return ""
    return looked_for(said)
