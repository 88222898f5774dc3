"""The shape of models.yaml, and the sentence that says what is wrong in it."""

from pathlib import Path

import pytest

from bot.errors import ModelError
from bot.models.presets import read_presets
from bot.models.spec import ModelFile

WHOLE = """
default: [a.b.v1]
models:
  - name: a.b.v1
    slot: embed
    family: minilm
    source: hub
    location: owner/name
    revision: 53aa51172d14
    licence: MIT
    languages: [ko, en]
    ram_mb: 120
    size_mb: 91
    good_for: Small machines.
    seen_at: https://example.org
    files:
      - {path: model.safetensors, sha256: abc, size_bytes: 12}
"""


def write(folder: Path, text: str) -> Path:
    (folder / "models.yaml").write_text(text, encoding="utf-8")
    return folder / "models.yaml"


def test_every_field_of_a_model_is_read(tmp_path: Path) -> None:
    presets = read_presets(write(tmp_path, WHOLE))

    (spec,) = presets.models
    assert presets.defaults == ("a.b.v1",)
    assert spec.identity == "a.b.v1@53aa51172d14"
    assert (spec.languages, spec.ram_mb, spec.size_mb) == (("ko", "en"), 120, 91)
    assert spec.files == (ModelFile("model.safetensors", "abc", 12),)


@pytest.mark.parametrize("text", ["", "models: []", "default:\nmodels:"])
def test_a_file_may_list_nothing(tmp_path: Path, text: str) -> None:
    assert read_presets(write(tmp_path, text)).models == ()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("modells: []", "there is no key “modells”; known are default, models"),
        ("models: {a: 1}", "models must be a list"),
        ("models: [text]", "mapping of keys"),
        ("models: [{name: a, slot: b, family: c}]", "a model lacks source"),
        ("models: [{name: a, slot: b, family: c, source: web}]", "source of a must be one of builtin, package"),
        ("models: [{name: a, slot: b, family: c, source: hub, size: 3}]", "there is no key “size”"),
        ("models: [{name: a, slot: b, family: c, source: hub, revision: 123}]", "revision of a must be a text in quotes"),
        ("models: [{name: a, slot: b, family: c, source: hub, ram_mb: much}]", "ram_mb of a must be a whole number"),
        ("models: [{name: a, slot: b, family: c, source: hub, ram_mb: true}]", "ram_mb of a must be a whole number"),
        ("models: [{name: a, slot: b, family: c, source: hub, size_mb: 1.5}]", "size_mb of a must be a whole number"),
        ("models: [{name: a, slot: b, family: c, source: hub, languages: ko}]", "languages of a must be a list"),
        ("models: [{name: a, slot: b, family: c, source: hub, languages: [no]}]", "expected a text in quotes, found False"),
        ("models: [{name: a, slot: b, family: c, source: hub, files: [x]}]", "each of files"),
        ("models: [{name: a, slot: b, family: c, source: hub, files: [{path: x, size: 1}]}]", "there is no key “size”"),
        ("models: [{name: a, slot: b, family: c, source: hub, files: [{path: x, size_bytes: big}]}]", "size_bytes"),
        ("- a", "it must be a mapping of keys"),
        ("a: [", "while parsing"),
        ("models: !!python/object/apply:os.system ['true']", "could not determine a constructor"),
        ("x" * 1_100_000, "larger than 1 MiB"),
        ("a: " + "[" * 300_000, "nests deeper than 12 levels"),
        ("a: &a [x]\nmodels: *a", "it has an alias"),
        ("a: " + "9" * 5_000, "Exceeds the limit"),
    ],
)
def test_what_is_wrong_is_told_in_a_sentence(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(ModelError) as caught:
        read_presets(write(tmp_path, text))

    assert reason in caught.value.sentence("en")
    assert "models.yaml" in caught.value.sentence("ko")


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "models.yaml").write_bytes(b"\xff\xfe\x00")

    with pytest.raises(ModelError, match="not right"):
        read_presets(tmp_path / "models.yaml")
