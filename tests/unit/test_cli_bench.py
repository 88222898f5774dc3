"""What `paring bench` prints: figures, the machine, a profile and what to type; in both languages, and as JSON."""

import json
from dataclasses import replace

import pytest

from bot.cli_bench import Bench, as_rows, as_text
from bot.models.bench import Benched
from bot.models.profiles import Profile, Proposed
from bot.models.trial import Figures

FIGURES = Figures("ocr.tesseract.v1", "", (), load_s=0.3891, p50_ms=173.02, p95_ms=405.5, ram_mb=65, disk_bytes=0, licence="",
                  languages=(), fault={})  # fmt: skip
PROFILE = Profile(8, 2, {"en": "Short talk.", "ko": "짧은 대화."}, {})
ROWS = (
    Proposed("ocr", "ocr.tesseract.v1", 65, live=True, here=True),
    Proposed("summarise", "summarise.lead.v1", 1, live=False, here=True),
    Proposed("chat", "chat.qwen.v1", 1224, live=False, here=False),
    Proposed("caption", "caption.blip.v1", 0, live=False, here=False),
)
FOUND = (
    Benched("ocr", "ocr.tesseract.v1", FIGURES, {}),
    Benched("chat", "chat.a.v1@1", None, {"en": "It hung.", "ko": "멈췄어요."}),
)
RESULT = Bench(FOUND, 8000, 4800, 2, PROFILE, ROWS)


@pytest.fixture(autouse=True)
def _by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["pytest"])


def test_people_read_figures_the_machine_and_what_to_type() -> None:
    assert as_text(RESULT, "en") == (
        "slot  model             load s  p50 ms  p95 ms  RAM MB  answers/s\n"
        "ocr   ocr.tesseract.v1   0.389     173   405.5      65       5.78\n"
        "chat  chat.a.v1@1            -       -       -       -          -\n"
        "\n"
        "chat: It hung.\n"
        "\n"
        "This machine has 7.8 GB of memory and 2 cores; 4.7 GB are for models. The profile for 8 GB suits it:\n"
        "Short talk.\n"
        "\n"
        "slot       model              RAM MB  what to type\n"
        "ocr        ocr.tesseract.v1       65  live already\n"
        "summarise  summarise.lead.v1       1  paring swap summarise summarise.lead.v1\n"
        "chat       chat.qwen.v1         1224  paring swap chat chat.qwen.v1   (not here yet)\n"
        "caption    caption.blip.v1         -  paring swap caption caption.blip.v1   (not here yet)\n"
        "\n"
        "What is not here is fetched from the hub by that command, which tells its size and asks before. Without a network, carry it in: "
        "paring models import FILE"
    )


def test_it_is_told_in_korean() -> None:
    told = as_text(RESULT, "ko")

    for part in ("초당 답", "chat: 멈췄어요.", "코어 2개", "짧은 대화.", "이미 쓰는 중", "(아직 여기 없음)", "허브에서"):
        assert part in told


def test_what_the_budget_does_not_hold_and_what_more_cores_would_do_is_told() -> None:
    told = as_text(replace(RESULT, budget_mb=1000, larger=replace(PROFILE, memory_gb=16, cores=4)), "en")

    assert "these need 1.2 GB, more than the budget" in told
    assert "The profile for 16 GB wants 4 cores." in told


def test_one_slot_alone_proposes_nothing() -> None:
    told = as_text(Bench(FOUND[:1], 8000, 4800, 2, None, (), alone=True), "en")

    assert len(told.splitlines()) == 2


def test_a_machine_below_every_profile_is_told() -> None:
    assert as_text(Bench(FOUND[:1], 900, 540, 1, None, ()), "en").endswith("what comes with the install works on it.")


def test_machines_read_json() -> None:
    said = json.loads(json.dumps(as_rows(RESULT)))

    assert said["machine"] == {"memory_mb": 8000, "budget_mb": 4800, "cores": 2}
    assert said["models"][0] == {
        "slot": "ocr", "model": "ocr.tesseract.v1", "load_s": 0.389, "p50_ms": 173.02, "p95_ms": 405.5, "ram_mb": 65,
        "answers_per_s": 5.78, "failed": "",
    }  # fmt: skip
    assert said["models"][1]["failed"] == "It hung."
    assert said["profile"]["models"][2] == {
        "slot": "chat",
        "model": "chat.qwen.v1",
        "need_mb": 1224,
        "live": False,
        "here": False,
    }
    assert as_rows(replace(RESULT, profile=None))["profile"] is None
