"""Questions that come with a picture: what the text in it answers, and what is left to the description.

    python -m benchmarks.picture_questions [--wrong]

Three pictures are drawn (a letter in each language, a receipt) and each question is asked of the whole bot with one of them, in a
home of its own: routed, read by Tesseract, answered. Right is the sentence with the words that answer in bold; what the picture's text
does not answer is to be described. `--wrong` prints what was not right.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import re
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from bot.app import App, opened
from bot.channels.console import message_from
from bot.config import Settings
from skills.ocr.golden.make import FONTS, KOREAN_FACE

LETTER = """Harbour Flats
12 Quay Street

Dear tenant,

The rent is due on the first day of each month. Please
pay it to the account below. The deposit is 900 euros
and is returned within six weeks after you move out.
Bicycles are kept in the cellar, not in the hallway.

The caretaker is Ben Moore. He can be reached on
weekdays from 8 to 10 in the morning at 555-0134.

Kind regards,
Clara Winter"""
LETTER_KO = """임대 안내문

월세는 매달 5일까지 내 주세요. 보증금은 300만원이며,
계약이 끝난 뒤 6주 안에 돌려 드립니다.
자전거는 복도가 아니라 지하실에 두셔야 합니다.

관리인은 박민수입니다. 평일 오전 8시부터 10시까지
02-555-0134로 연락하실 수 있습니다.
쓰레기는 화요일과 금요일에 내놓습니다."""
RECEIPT = """CAFE LUNA
Coffee        3.20
Cake          4.10
Tea           2.80
Total        10.10
Paid by card
Open daily 9 to 18, Sunday closed
Wifi password: moonlight7"""
ASKED: Mapping[str, Sequence[tuple[str, str]]] = {
    LETTER: (
        ("when is the rent due?", "first day"), ("how much is the deposit?", "900"), ("who is the caretaker?", "Ben Moore"),
        ("when do I get the deposit back?", "six weeks"), ("where do I put my bicycle?", "cellar"),
        ("What is the caretaker's phone number?", "555-0134"), ("who signed this letter?", "Clara"),
        ("월세는 언제까지 내야 하나요?", "first day"), ("when can I call the caretaker", "weekdays"),
        ("tell me how much the deposit is", "900"), ("what colour is the car?", ""), ("what is this?", ""), ("our new flat!", ""),
        ("how many people are in this picture?", ""), ("is pets allowed?", ""), ("what is the wifi password?", ""),
        ("what is the capital of France?", ""), ("how do I reset my password?", ""),
    ),
    LETTER_KO: (
        ("월세는 언제까지 내야 하나요?", "5일"), ("보증금이 얼마야?", "300만원"), ("관리인이 누구야?", "박민수"),
        ("자전거는 어디에 둬?", "지하실"),
        ("쓰레기는 언제 내놔?", "화요일"), ("관리인 전화번호 알려줘", "0134"), ("보증금은 언제 돌려받아?", "6주"),
        ("when is the rent due?", "5일"),
        ("차가 무슨 색이야?", ""), ("이게 뭐야?", ""), ("사진에 몇 명이 있어?", ""), ("와이파이 비밀번호 알려줘", ""),
        ("반려동물 키워도 돼?", ""),
        ("우리 집이에요", ""),
    ),
    RECEIPT: (
        ("what is the total?", "10.10"), ("how much was the cake?", "4.10"), ("what is the wifi password?", "moonlight7"),
        ("is it open on Sunday?", "Sunday"), ("how was it paid?", "card"), ("what colour is the cup?", ""),
        ("who is the caretaker?", ""),
    ),
}  # fmt: skip
"""Pictures by their text; each question with words of the line that answers, "" where none does."""
SIZE, LINE, EDGE = 26, 41, 40


def main() -> None:
    """Ask them all and print how many were right."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wrong", action="store_true")
    asyncio.run(_ask(wrong=parser.parse_args().wrong))


async def _ask(*, wrong: bool) -> None:
    counted: Counter[tuple[bool, str]] = Counter()
    chats = itertools.count()
    with tempfile.TemporaryDirectory() as folder:
        async with opened(Settings(home=Path(folder) / "home")) as app:
            for text, questions in ASKED.items():
                picture = Path(folder) / f"picture-{next(chats)}.png"
                _draw(text, picture)
                for question, answer in questions:
                    line = await _line(app, question, picture, chat=str(next(chats)))
                    outcome = "described" if not line else "right" if answer and answer in line else "wrong"
                    counted[bool(answer), outcome] += 1
                    if wrong and outcome != ("right" if answer else "described"):
                        print(f"{question} -> {line or outcome}")
    for answers, told in ((True, "the text answers"), (False, "it does not")):
        print(told, {outcome: counted[answers, outcome] for outcome in ("right", "wrong", "described")})


async def _line(app: App, question: str, picture: Path, *, chat: str) -> str:
    """Return the line in bold of the answer, "" where the picture was described."""
    message = await message_from(question, files=[picture], chat=chat, user="me", intake=app.intake)
    (reply,) = await app.say(message)
    found = re.search(r"^> .*?\*\*(.+?)\*\*", reply.text, re.MULTILINE) if reply.sources else None
    return found[1] if found else ""


def _draw(text: str, file: Path) -> None:
    korean = bool(re.search("[가-힣]", text))
    font = ImageFont.truetype(FONTS["ko" if korean else "en"], SIZE, index=KOREAN_FACE if korean else 0)
    lines = text.splitlines()
    page = Image.new("RGB", (round(max(map(font.getlength, lines))) + 2 * EDGE, len(lines) * LINE + 2 * EDGE), "white")
    pen = ImageDraw.Draw(page)
    for number, line in enumerate(lines):
        pen.text((EDGE, EDGE + number * LINE), line, fill="black", font=font)
    page.save(file)


if __name__ == "__main__":
    main()
