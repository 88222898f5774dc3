"""The gate of the models that draw: the asked size, the asked colour."""

import io
from collections.abc import Sequence

import numpy as np
import pytest
from PIL import Image

from bot.locale import LANGUAGES
from bot.models.tasks import DrawingInput
from skills.imagine.gate import ImagineGate, golden, judged

GATE = ImagineGate()


def png(colour: str, size: tuple[int, int] = (256, 256), *, share: float = 1.0, kind: str = "PNG") -> bytes:
    image = Image.new("RGB", size, "#808080" if colour != "grey" else "#d01c1c")
    image.paste(colour, (0, 0, size[0], round(share * size[1])))
    made = io.BytesIO()
    image.save(made, kind)
    return made.getvalue()


@pytest.mark.parametrize(
    ("data", "colour", "score"),
    [
        (png("red", share=0.5), "red", 1.0),
        (png("blue", share=0.5), "red", 0.0),
        (png("red", share=0.2), "red", pytest.approx(0.6, abs=0.02)),
        (png("red", share=0.5), "", 1.0),
        (png("red"), "", 0.0),
        (png("red", (128, 128)), "red", 0.0),
        (b"no picture", "red", 0.0),
    ],
)
def test_the_asked_colour_counts_up_to_a_third_of_the_picture(data: bytes, colour: str, score: float) -> None:
    assert judged(data, colour, size=(256, 256))[0] == score


def test_whoever_draws_the_asked_colour_has_all() -> None:
    by_prompt = {str(case["prompt"]): str(case.get("colour", "red")) for case in golden(())}
    inks = {
        "turquoise": "#20b2aa",
        "light blue": "#87ceeb",
        "orange": "#ff8c00",
        "yellow": "#ffd700",
        "green": "#008000",
        "blue": "#1c71d8",
    }

    def predict(batch: Sequence[DrawingInput]) -> list[bytes]:
        return [png(inks.get(by_prompt[one.prompt], by_prompt[one.prompt]), (one.width, one.height), share=0.6) for one in batch]

    scored = GATE.evaluate(predict, lambda _texts: np.zeros((0, 0), np.float32), ())
    assert [one.case for one in scored if one.score < 1] == []


@pytest.mark.parametrize(
    ("pictures", "said"),
    [
        ((png("red", share=0.5), png("red", (320, 256), share=0.5)), None),
        ((b"", png("red", (320, 256), share=0.5)), "no PNG"),
        ((png("red", share=0.5, kind="JPEG"), b""), "no PNG"),
        ((png("red", share=0.5), png("red", share=0.5)), "another size"),
        ((png("red"), png("red", (320, 256))), "one even colour"),
    ],
)
def test_what_is_no_drawing_is_told(pictures: tuple[bytes, bytes], said: str | None) -> None:
    fault = GATE.fault(GATE.canaries(), pictures, LANGUAGES)
    assert fault is None if said is None else fault is not None and said in fault.to("en")
