"""What is installed is what was agreed to: its versions are fixed, its licences known and allowed, and the page tells them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from benchmarks.licences import PAGE, Model, Package, allowed, closure, faults, installed, models, packages, page, row
from bot.models.hub_listing import OPEN_LICENCES

CONSTRAINTS = Path(__file__).parents[3] / "constraints.txt"
FINE = Package("some", "1.0", "MIT", "its LICENSE")


def held() -> dict[str, str]:
    lines = [Requirement(line) for line in CONSTRAINTS.read_text(encoding="utf-8").splitlines()]
    return {canonicalize_name(line.name): str(line.specifier) for line in lines}


def test_every_package_is_held_to_the_version_that_is_installed() -> None:
    here, fixed = installed(), held()
    wanted = {name: f"=={here[name].version.partition('+')[0]}" for name in closure(here) & here.keys() - {"paring"}}
    assert {name: fixed.get(name) for name in wanted} == wanted


def test_what_is_needed_and_not_installed_here_is_held_as_well() -> None:
    here = installed()
    assert closure(here) - here.keys() <= held().keys()


def test_every_licence_is_known_and_allowed() -> None:
    assert faults(packages(), models()) == []


def test_the_page_has_every_package_that_is_installed_and_none_that_is_not_held() -> None:
    lines = PAGE.read_text(encoding="utf-8").partition("## Shared libraries")[0].splitlines()
    rows = [line for line in lines if line.startswith("| ")][2:]
    assert [row(one) for one in packages() if row(one) not in rows] == []
    told = {canonicalize_name(line.split(" | ")[0].removeprefix("| ")): f"=={line.split(' | ')[1]}" for line in rows}
    assert told.items() <= held().items()


def test_the_page_is_what_is_written_where_all_is_installed() -> None:
    whole, said = page(packages()), PAGE.read_text(encoding="utf-8")
    all_here = not closure(here := installed()) - here.keys()
    assert said == whole or not all_here
    assert said.partition("## Packages of the system")[2] == whole.partition("## Packages of the system")[2]


@pytest.mark.parametrize(
    ("packed", "told"),
    [
        (FINE, []),
        (replace(FINE, licence="AGPL-3.0-only"), ["some 1.0: AGPL-3.0-only (its LICENSE) is not allowed"]),
        (replace(FINE, carried=("libgomp", "libjbig")), []),
        (replace(FINE, carried=("libnobodyknows",)), ["some 1.0 carries libnobodyknows: unknown is not allowed"]),
    ],
)
def test_a_package_is_refused_for_what_it_says_and_for_what_it_carries(packed: Package, told: list[str]) -> None:
    assert faults([packed], []) == told


@pytest.mark.parametrize(
    ("licence", "here", "may"),
    [
        ("Apache-2.0", True, True), ("CC-BY-NC-4.0", True, False), ("", True, False),
        ("MIT", False, True), ("CC-BY-NC-4.0", False, True), ("Gemma Terms of Use", False, True), ("Llama 9", False, False),
    ],
)  # fmt: skip
def test_a_model_that_does_not_allow_everything_never_comes_with_the_install(licence: str, here: bool, may: bool) -> None:
    assert (faults([], [Model("chat.some.v1", licence, here)]) == []) is may


def test_what_is_restricted_is_what_is_asked_about_twice() -> None:
    fetched = [one for one in models() if not one.here]
    twice = {one.name for one in fetched if one.licence.lower() not in OPEN_LICENCES}
    text = PAGE.read_text(encoding="utf-8").partition("not installed")[2]
    assert {line.split(" | ")[0].removeprefix("| ") for line in text.splitlines() if line.startswith("| ") and not line.endswith(" |  |")} - {
        "model", "---",
    } == twice  # fmt: skip


@pytest.mark.parametrize(
    ("expression", "may"),
    [
        ("MIT", True), ("MIT AND Apache-2.0", True), ("GPL-2.0-only OR MIT", True), ("MPL-2.0 AND (GPL-3.0-only OR MIT)", True),
        ("GPL-3.0-or-later WITH GCC-exception-3.1", True), ("Apache-2.0 WITH LLVM-exception AND MIT", True),
        ("", False), ("AGPL-3.0-only", False), ("GPL-3.0-only", False), ("MIT AND GPL-3.0-only", False), ("CC-BY-NC-4.0", False),
        ("MIT AND (GPL-3.0-only OR AGPL-3.0-only)", False), ("GPL-3.0-or-later WITH Other-exception", False), ("LicenseRef-Own", False),
    ],
)  # fmt: skip
def test_an_expression_is_allowed_where_all_that_it_asks_for_is(expression: str, may: bool) -> None:
    assert allowed(expression) == may
