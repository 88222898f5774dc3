import io
import zipfile
from email.message import EmailMessage
from pathlib import Path

import pytest
from hwpx_files import hwpx, p
from PIL import Image
from retrieval_fakes import WordEmbedder

from bot.config import LimitSettings
from bot.errors import UnreadableError
from bot.models.tasks import Reading
from bot.retrieval.reading import DEEPEST, Reader
from bot.testing import InlineSandbox


@pytest.fixture
def reader(embedder: WordEmbedder) -> Reader:
    return Reader(InlineSandbox(), embedder, LimitSettings())  # type: ignore[arg-type]


def mail(text: str = "See below.", subject: str = "Plan") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["Subject"], message["Date"] = "a@x.org", subject, "Mon, 3 Mar 2025 10:00:00 +0900"
    message.set_content(text)
    return message


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


async def read(reader: Reader, folder: Path, message: EmailMessage) -> list[tuple[str, str, int]]:
    (folder / "mail").write_bytes(message.as_bytes())
    document = await reader.read(folder / "mail", name="mail.eml")
    return [(block.kind, block.text, block.level) for block in document.blocks[2:]]


async def test_what_is_attached_is_read_under_its_name(reader: Reader, tmp_path: Path) -> None:
    message = mail()
    message.add_attachment("Time,Event\n09:14,First alert\n", subtype="csv", filename="times.csv")
    message.add_attachment("# Cause\n\nAn expired key.", subtype="plain", filename="cause.md")
    assert await read(reader, tmp_path, message) == [
        ("text", "See below.", 0),
        ("heading", "times.csv", 2), ("table", "Time: 09:14 | Event: First alert", 2),
        ("heading", "cause.md", 2), ("heading", "Cause", 3), ("text", "An expired key.", 2),
    ]  # fmt: skip


async def test_what_cannot_be_read_is_named_alone(reader: Reader, tmp_path: Path) -> None:
    message = mail()
    message.add_attachment(b"\0" * 100, maintype="application", subtype="octet-stream", filename="x.bin")
    message.add_attachment(b"PK\x03\x04" + bytes(100), maintype="application", subtype="zip", filename="x.zip")
    message.add_attachment("Still here.", filename="a.txt")
    assert [text for _kind, text, _level in await read(reader, tmp_path, message)] == ["See below.", "a.txt", "Still here.\n"]


async def test_an_archive_in_a_mail_is_read_with_it(reader: Reader, tmp_path: Path) -> None:
    message = mail()
    data = zipped({"plan/a.txt": b"We move in May.", "b.hwpx": hwpx(p("5월에 옮깁니다."))})
    message.add_attachment(data, maintype="application", subtype="zip", filename="plans.zip")
    assert [(text, level) for _kind, text, level in await read(reader, tmp_path, message)][1:] == [
        ("plans.zip", 2), ("plan/a.txt", 3), ("We move in May.", 3), ("b.hwpx", 3), ("5월에 옮깁니다.", 3),
    ]  # fmt: skip


async def test_mails_in_mails_are_read_so_deep_and_no_deeper(reader: Reader, tmp_path: Path) -> None:
    inner = mail("At the bottom.", "level 0")
    for level in range(1, DEEPEST + 2):
        outer = mail(f"Around {level}.", f"level {level}")
        outer.add_attachment(inner)
        inner = outer
    said = "\n".join(text for _kind, text, _level in await read(reader, tmp_path, inner))
    assert "Around 1." in said
    assert "At the bottom." not in said


async def test_pictures_in_a_document_are_read_in_their_places(
    reader: Reader, embedder: WordEmbedder, tmp_path: Path, picture: Path
) -> None:
    embedder.ocr = Reading("정문 비밀번호는 접수처에", 0.9, "fake", ("ko",))
    shown = '<hp:pic><hc:img binaryItemIDRef="image1"/></hp:pic>'
    data = hwpx(p("앞.", shown), p("뒤.", shown), more={"BinData/image1.png": picture.read_bytes() + bytes(4000)})
    (tmp_path / "a").write_bytes(data)
    document = await reader.read(tmp_path / "a", name="a.hwpx")
    assert [block.text for block in document.blocks] == ["앞.", "정문 비밀번호는 접수처에", "뒤."]
    embedder.ocr = None
    assert [block.text for block in (await reader.read(tmp_path / "a", name="a.hwpx")).blocks] == ["앞.", "뒤."]


async def test_letters_are_not_looked_for_in_one_even_colour(reader: Reader, embedder: WordEmbedder, tmp_path: Path) -> None:
    embedder.ocr = Reading("What nobody wrote", 0.9, "fake", ("en",))
    Image.new("L", (60, 40), 200).save(tmp_path / "a.png")
    with pytest.raises(UnreadableError, match=r"no text in a\.png"):
        await reader.read(tmp_path / "a.png", name="a.png")


async def test_an_archive_of_which_nothing_can_be_read_is_told(reader: Reader, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(zipped({"a.pdf": b"%PDF-1.7", "b.txt": b""}))
    with pytest.raises(UnreadableError, match=r"none of the files in a\.zip"):
        await reader.read(tmp_path / "a", name="a.zip")
