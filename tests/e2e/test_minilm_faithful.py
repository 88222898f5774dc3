"""The prepared MiniLM, made from nothing, says what sentence-transformers says; and the bot's process never sees torch."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from fakes.waiting import LONGEST_S

from bot.models import prepare
from bot.models.made import read_manifest

TEXTS = [
    "Where is the page about parental leave?",
    "연차 휴가 신청은 어디에서 하나요?",
    "",
    "  spaces around  ",
    "def add(a, b):\n    return a + b",
    "The committee agreed on the new budget for the second quarter. " * 40,
    "ÀÉÎÕÜ naïve façade — “quotes” … 👩‍👩‍👧",
    "supercalifragilistic" * 50,
    "한국어와 English가 섞인 문장입니다. " * 60,
    "12,345.67 % of 2024-05-01",
    "a",
]

REFERENCE = """
import json, sys
from sentence_transformers import SentenceTransformer
model = SentenceTransformer(sys.argv[1], device="cpu", local_files_only=True)
json.dump(model.encode(json.load(sys.stdin), normalize_embeddings=True).tolist(), sys.stdout)
"""

OURS = """
import json, sys
from pathlib import Path
from bot.models.runtimes.minilm import load
from bot.models.spec import LoadOptions, ModelSpec
spec = ModelSpec("embed.minilm.v1", "embed", "minilm", "package")
model = load(spec, Path(sys.argv[1]), LoadOptions(embed_engine=sys.argv[2]))
texts = json.load(sys.stdin)
vectors = [vector.tolist() for vector in model.predict(texts)]
alone = [model.predict([text])[0].tolist() for text in texts]
json.dump({"vectors": vectors, "alone": alone, "heavy": [name for name in ("torch", "transformers") if name in sys.modules]}, sys.stdout)
"""


def run(program: str, *arguments: str) -> object:
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        input=json.dumps(TEXTS),
        capture_output=True,
        text=True,
        check=True,
        timeout=LONGEST_S,
    )
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def reference() -> np.ndarray:
    package = prepare.package_folder(prepare.DISTRIBUTION)
    assert package is not None
    return np.array(run(REFERENCE, str(package / "model")), np.float32)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepare.prepare_minilm(tmp_path_factory.mktemp("made"))


@pytest.mark.parametrize(("engine", "least"), [("onnxruntime", 0.99999), ("openvino", 0.995)])
def test_each_engine_says_what_sentence_transformers_says(made: Path, reference: np.ndarray, engine: str, least: float) -> None:
    said = run(OURS, str(made), engine)

    assert isinstance(said, dict)
    assert (np.array(said["vectors"], np.float32) * reference).sum(axis=1).min() >= least
    assert (np.array(said["alone"], np.float32) * reference).sum(axis=1).min() >= least
    assert said["heavy"] == []


def test_the_export_was_proved_against_torch(made: Path) -> None:
    manifest = read_manifest(made)

    assert manifest is not None
    forms = {"onnxruntime", "onnxruntime, by vectors", "openvino", "openvino, eight bits"}
    assert {engine for engine, _cosine in manifest.cosines} == forms
    assert min(cosine for _engine, cosine in manifest.cosines) >= prepare.LEAST_COSINE
    assert {"torch", "onnx", "openvino"} <= {name for name, _version in manifest.versions}
