"""Imports point one way (`[tool.importlinter]` in pyproject.toml), and no module stands outside of that."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_module_of_the_host_stands_in_a_layer() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
    layered = [
        name.strip()
        for contract in contracts
        if contract["type"] == "layers"
        for layer in contract["layers"]
        for name in layer.split(":")
    ]
    there = {f"bot.{path.stem}" for path in (ROOT / "bot").iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}

    assert sorted(layered) == sorted((there | {"skills"}) - {"bot.__init__", "bot.__main__"})
