"""Real English prose that is on every machine: the docstrings of installed Python packages, by paragraph.

passages = corpus(10_000)  # the same on every run over the same packages
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import re
import sys
import sysconfig
import warnings
from collections.abc import Iterator
from pathlib import Path

LEAST_WORDS, MOST_WORDS = 20, 120
PACKAGES = (
    "numpy",
    "sklearn",
    "torch",
    "transformers",
    "scipy",
    "sqlalchemy",
    "PIL",
    "fastapi",
    "starlette",
    "huggingface_hub",
    "nltk",
    "networkx",
)
CODE = re.compile(r"[<>={}\[\]|]{2,}|>>>|^\s*[:.]\w+", re.MULTILINE)


def corpus(count: int) -> list[str]:
    """Return `count` distinct paragraphs of 20 to 120 words. Raises SystemExit where the installed packages hold fewer."""
    seen: dict[str, str] = {}
    for line in paragraphs():
        seen.setdefault(hashlib.sha256(line.encode()).hexdigest(), line)
        if len(seen) >= 2 * count:
            break
    if len(seen) < count:
        sys.exit(f"only {len(seen)} of {count} passages were found in the installed packages")
    return [seen[key] for key in sorted(seen)[:count]]


def paragraphs() -> Iterator[str]:
    """Yield the paragraphs of 20 to 120 words of all docstrings, package by package; some more than once."""
    for text in _docstrings():
        for paragraph in re.split(r"\n\s*\n", text):
            line = " ".join(paragraph.split())
            if LEAST_WORDS <= len(line.split()) <= MOST_WORDS and not CODE.search(paragraph):
                yield line


def questions(passages: list[str], count: int) -> list[str]:
    """Return `count` questions: eight words from the midst of passages that are spread over the corpus."""
    step = max(1, len(passages) // count)
    chosen = passages[::step][:count]
    return [f"where is {' '.join(words[len(words) // 3 : len(words) // 3 + 8])}" for words in (text.split() for text in chosen)]


def _docstrings() -> Iterator[str]:
    installed = [spec.origin for name in PACKAGES if (spec := importlib.util.find_spec(name)) and spec.origin]
    places = [*(Path(origin).parent for origin in installed), Path(sysconfig.get_path("stdlib"))]
    for place in places:
        for file in sorted(place.rglob("*.py")):
            if "tests" in file.parts or "site-packages" in file.relative_to(place).parts:
                continue
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    tree = ast.parse(file.read_text(encoding="utf-8"))
            except (SyntaxError, UnicodeDecodeError, RecursionError):
                continue
            for node in ast.walk(tree):
                if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                    yield ast.get_docstring(node) or ""
