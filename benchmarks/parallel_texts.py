"""Gathers what free software says in both languages: what the table of Korean learns words from.

    python -m benchmarks.parallel_texts FOLDER [--packages FILE] [--out pairs.jsonl]

FOLDER becomes a cache of what the Debian packages of `benchmarks/parallel_texts.txt` hold in Korean (`apt-get download`, unpacked,
not installed; 2 GB come over the wire): message catalogues, whose keys are the English texts, and the pages of LibreOffice's help, whose
paragraphs have the same ids in both languages. Writes one {"source", "ko", "en"} a line, each pair once, without mark-up and
place-holders. Nothing of it is part of the repository; `benchmarks/train_hangul.py --more` reads it.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from html import unescape
from pathlib import Path

from babel.messages.mofile import read_mo

from bot.text.sentences import split

PACKAGES = Path(__file__).with_suffix(".txt")
AT_ONCE = 40
LONGEST = 400
LENGTHS = (0.15, 1.3)
"""Korean characters to English ones, of a pair that can be a translation."""
KEPT = ("*/ko/LC_MESSAGES/*.mo", "*/libreoffice/help/ko/*.html", "*/libreoffice/help/en-US/*.html")

_TAG = re.compile(r"<[^<>]{1,200}>")
_HOLDER = re.compile(r"%(?:\([^()]{1,40}\))?[-+#0-9.*]{0,8}[hlLqjzt]{0,2}[a-zA-Z@]|%\d+|\{[^{}]{0,40}\}|\$\{?\w{1,40}\}?")
_KEY = re.compile(r"\(?[&_~](?=[^\W_])")
_LAST_KEY = re.compile(r"\([&_~]?\w\)")
_SPACE = re.compile(r"\s+")
_HANGUL = re.compile("[\uac00-\ud7a3]")
_WORD = re.compile("[A-Za-z]{3,}")
_PARAGRAPH = re.compile(
    r'<(?:p|h[1-6]|td|li)\b[^<>]{0,200}\bid="((?:par|hd)_id\w{1,40})"[^<>]{0,200}>(.{1,4000}?)</(?:p|h[1-6]|td|li)>', re.DOTALL
)


def main() -> None:
    """Fetch, read, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--packages", type=Path, default=PACKAGES)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    names = options.packages.read_text(encoding="utf-8").split()
    fetch([name for name in names if not (options.folder / name).exists()], options.folder)
    pairs = dict.fromkeys(pair for name in names for pair in pairs_of(options.folder / name))
    target = options.out or options.folder / "pairs.jsonl"
    with target.open("w", encoding="utf-8") as file:
        for source, korean, english in pairs:
            file.write(json.dumps({"source": source, "ko": korean, "en": english}, ensure_ascii=False) + "\n")
    print(f"{len(pairs)} pairs of {len(names)} packages: {target}")


def fetch(packages: list[str], folder: Path) -> None:
    """Keep in `folder`, one folder a package, what of each is Korean."""
    folder.mkdir(parents=True, exist_ok=True)
    for done in range(0, len(packages), AT_ONCE):
        print(f"{done} of {len(packages)} packages", file=sys.stderr, flush=True)
        some = packages[done : done + AT_ONCE]
        with tempfile.TemporaryDirectory() as place:
            subprocess.run(["apt-get", "download", "-qq", *some], cwd=place, check=True)  # noqa: S607 - the system's own
            for file in Path(place).glob("*.deb"):
                name = file.name.split("_")[0]
                into = Path(place) / name
                into.mkdir()
                unpacked = subprocess.Popen(["dpkg", "--fsys-tarfile", file], stdout=subprocess.PIPE)  # noqa: S607
                picked = ["tar", "x", "-C", into, "--wildcards", *KEPT]  # complains where a package has none of one kind
                subprocess.run(picked, stdin=unpacked.stdout, stderr=subprocess.DEVNULL, check=False)
                unpacked.wait()
                shutil.move(into, folder / name)  # whole, or not there: what was stopped half way is fetched again


def pairs_of(package: Path) -> Iterator[tuple[str, str, str]]:
    """Yield (package, Korean, English) of what was kept of a package, long texts by their sentences."""
    said = [*_of_catalogues(package.rglob("*.mo")), *_of_help(package, package.parent / "libreoffice-help-en-us")]
    for whole in said:
        yield from ((package.name, korean, english) for korean, english in with_sentences(*whole) if _alike(korean, english))


def with_sentences(korean: str, english: str) -> list[tuple[str, str]]:
    """Return the pair, and where both sides have as many sentences, more than one, those side by side."""
    parts = [[text[one.start : one.end] for one in split(text)] for text in (korean, english)]
    together = zip(*parts, strict=True) if len(parts[0]) == len(parts[1]) > 1 else ()
    return [(korean, english), *together]


def _of_catalogues(files: Iterable[Path]) -> Iterator[tuple[str, str]]:
    for file in files:
        try:
            with file.open("rb") as opened:
                messages = list(read_mo(opened))
        except (OSError, ValueError, UnicodeError, LookupError):  # not a catalogue, or in an encoding that nobody knows
            continue
        for message in messages:
            sides = [one if isinstance(one, str) else one[0] for one in (message.string, message.id)]
            yield plain(sides[0]), plain(sides[1])


def _of_help(korean: Path, english: Path) -> Iterator[tuple[str, str]]:
    if korean == english:
        return
    for file in korean.rglob("*.html"):
        place = file.relative_to(korean).as_posix().replace("/ko/", "/en-US/")
        if (english / place).exists():
            sides = [dict(_PARAGRAPH.findall(one.read_text(encoding="utf-8"))) for one in (file, english / place)]
            yield from ((plain(sides[0][name]), plain(sides[1][name])) for name in sides[0].keys() & sides[1].keys())


def plain(text: str) -> str:
    """Return `text` without mark-up, place-holders and the marks of keys, in one line."""
    text = unescape(_TAG.sub(" ", text))
    text = _LAST_KEY.sub("", _HOLDER.sub(" ", text))
    return _SPACE.sub(" ", _KEY.sub("", text)).strip(" .:…\"'")


def _alike(korean: str, english: str) -> bool:
    if not (_HANGUL.search(korean) and _WORD.search(english)) or _HANGUL.search(english) or len(english) > LONGEST:
        return False
    return LENGTHS[0] < len(korean) / max(len(english), 1) < LENGTHS[1]


if __name__ == "__main__":
    main()
