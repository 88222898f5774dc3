"""What the evidence is worth: the numbers that `benchmarks/train_summarise.py` found.

Owns: one weight a kind of evidence, with vectors and without. How they were found, on what, and what they reach stands in
docs/summaries.md; nothing of the texts themselves is in them.
"""

from __future__ import annotations

from typing import Final

WORDS: Final[dict[str, tuple[float, ...]]] = {
    "meaning": (
        -1.090,
        0.402,
        0.654,
        0.546,
        -0.209,
        0.381,
        -0.278,
        0.569,
        -0.713,
        0.136,
        -0.147,
        0.541,
        -0.452,
        -0.820,
        0.129,
        1.519,
        0.472,
        -0.188,
    ),
    "words": (
        -1.136,
        0.296,
        0.623,
        0.535,
        -0.272,
        0.336,
        -0.305,
        0.596,
        -0.674,
        0.183,
        -0.096,
        0.488,
        -0.387,
        -1.035,
        0.221,
        1.491,
        0.000,
        0.000,
    ),
}
"""Log-odds that a word is in a summary, in the order of WORD_EVIDENCE."""
SENTENCES: Final[dict[str, tuple[float, ...]]] = {
    "meaning": (0.005, 0.010, 0.010, 0.060, 0.007, -0.008, -0.009, -0.027, 0.001, 0.026),
    "words": (0.011, 0.016, 0.011, 0.064, 0.008, -0.013, -0.011, -0.050, -0.005, 0.000),
}
"""Gain in ROUGE-1 of a sentence, in the order of SENTENCE_EVIDENCE."""
