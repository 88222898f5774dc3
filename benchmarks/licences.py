"""The licences of all that is installed: read from the packages, compared with what is allowed, written into docs/licences.md.

    python -m benchmarks.licences             # say what is not allowed; exit code 1 where there is such a thing
    python -m benchmarks.licences --write     # and write the page

What a package's metadata does not say, or not wholly, stands in benchmarks/licences.toml with where it was seen; so do the shared
libraries that wheels carry in a `*.libs` folder: one that nobody has named is not allowed.
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from bot.models.hub_listing import OPEN_LICENCES

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "licences.md"
REVIEWED = Path(__file__).with_suffix(".toml")
EXTRAS = ("draw", "test", "bench")
MODELS = ("bot/models/models.yaml", "skills/*/models.yaml")
CLASSIFIERS = {
    "Apache Software License": "Apache-2.0",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
SPELLINGS = (
    (r"MPL-2\.0 AND MIT", "MPL-2.0 AND MIT"),
    (r"MIT( License)?", "MIT"),
    (r"Apache[- ]2\.0( License)?|Apache License,? (Version )?2\.0", "Apache-2.0"),
    (r"(The )?BSD[- ]3-Clause( License)?.*|3-Clause BSD License", "BSD-3-Clause"),
    (r"(The )?BSD[- ]2-Clause( License)?", "BSD-2-Clause"),
)
"""How the old License field tells what SPDX calls otherwise."""
PAGE_FORM = """\
# Licences

Made by `python -m benchmarks.licences --write` from what packages say of themselves; a test compares it with what is installed
and with what is allowed (`benchmarks/licences.toml`). Paring itself is under Apache-2.0. None of what is listed here is part of it: `pip` and
`apt` fetch it from those who publish it, and it is used as it is.

## {count} Python packages, of Paring and its extras ({extras})

As they are on Linux (x86-64) with PyTorch's CPU build. The build with CUDA also brings NVIDIA's libraries, under NVIDIA's own terms.

| package | version | licence | seen in |
| --- | --- | --- | --- |
{packages}

## Shared libraries of others, within these packages

| library | licence, as its own project says | within | |
| --- | --- | --- | --- |
{carried}

## Packages of the system, none of them needed to start

| package | licence | for | seen in |
| --- | --- | --- | --- |
{system}

## Models that come with the install

| model | licence |
| --- | --- |
{here}

## Models that are known by name and not installed

An admin may fetch them; the licence is shown before, and where it does not allow everything to everyone, or none is told, it is asked a
second time ([models](models.md)). What you may do with such a model is between you and who made it.

| model | licence | what it does not allow |
| --- | --- | --- |
{fetched}
"""
CARRIED = re.compile(r"[^/]+\.libs/(lib[A-Za-z0-9_]+?)(?:64_)?[-.].*")
"""A shared library that came into a wheel from elsewhere; what auditwheel adds to its name is left away."""


@dataclass(frozen=True)
class Package:
    """One installed package; `licence` is an SPDX expression, "" where nobody knows."""

    name: str
    version: str
    licence: str
    seen: str
    carried: tuple[str, ...] = ()
    """Shared libraries of others in it."""


@dataclass(frozen=True)
class Model:
    """One model that is known by name; `here` where it comes with the install, else an admin may fetch it."""

    name: str
    licence: str
    here: bool


def main() -> None:
    """Say what is not allowed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.licences", description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name}")
    asked = parser.parse_args()
    here = installed()
    if asked.write and (missing := closure(here) - here.keys()):
        sys.exit(
            f"not installed: {', '.join(sorted(missing))}; the page lists all extras: pip install -c constraints.txt -e '.[test,bench]'"
        )
    found = packages()
    if asked.write:
        PAGE.write_text(page(found), encoding="utf-8")
    refused = faults(found, models())
    print(*refused, sep="\n", end="\n" if refused else "")
    sys.exit(bool(refused))


def faults(found: Sequence[Package], known: Sequence[Model]) -> list[str]:
    """Return what is not allowed, a sentence each."""
    reviewed = _reviewed()
    libraries, accepted, restricted = reviewed["carried"], reviewed["accepted"], reviewed["restricted"]
    told = [
        f"{one.name} {one.version}: {one.licence or 'unknown'} ({one.seen})"
        for one in found
        if not allowed(one.licence) and one.name not in accepted
    ]
    for one in found:
        for library in one.carried:
            licence = str(libraries.get(library, ""))
            if not allowed(licence) and library not in accepted:
                told.append(f"{one.name} {one.version} carries {library}: {licence or 'unknown'}")
    told += [
        f"{one.name}: {one.licence or 'unknown'}"
        for one in known
        if not (allowed(one.licence) if one.here else _is_open(one.licence) or one.licence in restricted)
    ]
    return [f"{one} is not allowed" for one in told]


def installed() -> dict[str, Distribution]:
    """Return all that is installed here, by canonical name."""
    return {canonicalize_name(one.metadata["Name"]): one for one in distributions()}


def packages() -> list[Package]:
    """Return what of Paring, its extras and what they need is installed here, by name."""
    here = installed()
    return [_package(name, here[name]) for name in sorted(closure(here) & here.keys() - {"paring"})]


def closure(here: Mapping[str, Distribution]) -> set[str]:
    """Return the names of all packages that are needed by Paring, with its extras, and by those that are installed of them in turn."""
    companions = tuple(_reviewed()["companions"])
    seen: set[tuple[str, str]] = set()
    left = [("paring", extra) for extra in ("", *EXTRAS)]
    while left:
        name, extra = left.pop()
        if (name, extra) in seen or name.startswith(companions):
            continue
        seen.add((name, extra))
        for line in (here[name].requires or ()) if name in here else ():
            need = Requirement(line)
            if need.marker is None or need.marker.evaluate({"extra": extra}):
                left += [(canonicalize_name(need.name), wish) for wish in ("", *need.extras)]
    return {name for name, _extra in seen}


def allowed(expression: str) -> bool:
    """Say whether an SPDX expression is satisfied by what is allowed: all of an AND, one of an OR."""
    known = set(_reviewed()["allowed"])
    words = re.findall(r"\(|\)|[^\s()]+", expression)
    steps = []
    for word in re.sub(r" WITH ", "\0WITH\0", " ".join(words)).split():
        name = word.replace("\0", " ")
        steps.append({"AND": " and ", "OR": " or ", "(": "(", ")": ")"}.get(name) or str(name in known))
    return bool(steps) and bool(_value(steps))


def _value(steps: Sequence[str]) -> bool:
    """Return what a line of True, False, and, or and brackets amounts to: AND binds closer than OR."""
    line = "".join(steps)
    while "(" in line:
        line = re.sub(r"\(([^()]*)\)", lambda inner: str(_value([inner[1]])), line, count=1)
    return any(all(part.strip() == "True" for part in choice.split(" and ")) for choice in line.split(" or "))


def page(found: Sequence[Package]) -> str:
    """Return docs/licences.md."""
    reviewed = _reviewed()
    libraries, accepted, restricted = reviewed["carried"], reviewed["accepted"], reviewed["restricted"]
    carried = sorted({library for one in found for library in one.carried})
    within = {library: ", ".join(one.name for one in found if library in one.carried) for library in carried}
    known = models()
    rows = {
        "packages": [row(one) for one in found],
        "carried": [f"| {one} | {libraries.get(one, '')} | {within[one]} | {accepted.get(one, '')} |" for one in carried],
        "system": [f"| {name} | {licence} | {what} | `{seen}` |" for name, (licence, what, seen) in reviewed["system"].items()],
        "here": [f"| {one.name} | {one.licence} |" for one in known if one.here],
        "fetched": [
            f"| {one.name} | {one.licence or 'none is told'} | {restricted.get(one.licence, '')} |"
            for one in known
            if not one.here
        ],
    }
    return PAGE_FORM.format(
        count=len(found), extras=", ".join(EXTRAS), **{name: "\n".join(lines) for name, lines in rows.items()}
    )


def row(one: Package) -> str:
    """Return a package's line of the page."""
    return f"| {one.name} | {one.version.partition('+')[0]} | {one.licence} | {one.seen} |"


def models() -> list[Model]:
    """Return the models that come with the install and those that are known by name, by name."""
    named: dict[str, Model] = {}
    for pattern in MODELS:
        for file in sorted(ROOT.glob(pattern)):
            listed = yaml.safe_load(file.read_text(encoding="utf-8"))
            for one in listed if isinstance(listed, list) else listed["models"]:
                named[one["name"]] = Model(one["name"], one.get("licence", ""), one["source"] != "hub")
    return [named[name] for name in sorted(named)]


def _is_open(licence: str) -> bool:
    """Say whether a model of this licence is fetched without a second question."""
    return licence.lower() in OPEN_LICENCES


def _package(name: str, found: Distribution) -> Package:
    reviewed = _reviewed()
    licence, seen = reviewed["overrides"].get(name) or _said(found)
    if why := reviewed["accepted"].get(name):
        seen = f"{seen}; {why}"
    carried = {match[1] for file in found.files or () if (match := CARRIED.fullmatch(str(file)))}
    return Package(found.metadata["Name"], found.version, licence, seen, tuple(sorted(carried)))


def _said(found: Distribution) -> tuple[str, str]:
    told = found.metadata
    if expression := told["License-Expression"]:
        return expression, "License-Expression"
    field = (told["License"] or "").strip().splitlines()
    for pattern, name in SPELLINGS:
        if field and re.fullmatch(pattern, field[0].strip()):
            return name, "License"
    kinds = [line.rpartition(" :: ")[2] for line in told.get_all("Classifier") or () if line.startswith("License ::")]
    names = [CLASSIFIERS[kind] for kind in kinds if kind in CLASSIFIERS]
    return (" OR ".join(names), "classifiers") if names else ("", "nowhere")


def _reviewed() -> Any:
    return tomllib.loads(REVIEWED.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
