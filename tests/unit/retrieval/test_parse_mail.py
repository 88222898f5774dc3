from email.message import EmailMessage
from pathlib import Path

from bot.retrieval.document import Document
from bot.retrieval.parsers import read


def mail(text: str = "See below.", subject: str = "Plan") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"], message["Date"] = (
        "a@x.org",
        "b@x.org",
        subject,
        "Mon, 3 Mar 2025 10:00:00 +0900",
    )
    message.set_content(text)
    return message


def parsed(message: EmailMessage, folder: Path) -> Document:
    file = folder / "mail"
    file.write_bytes(message.as_bytes())
    return read(path=str(file), name="mail.eml", archive_growth=100)


def test_what_is_attached_is_named_and_yet_to_be_read(tmp_path: Path) -> None:
    message = mail()
    message.add_attachment("Time,Event\n09:14,First alert\n", subtype="csv", filename="times.csv")
    message.add_attachment(mail("Inside.", "Older plan"))
    blocks = parsed(message, tmp_path).blocks
    assert [(block.kind, block.text, block.level, block.place) for block in blocks[3:]] == [
        ("file", "times.csv", 2, 0), ("file", "Older plan", 2, 1),
    ]  # fmt: skip
    assert "Attachments: times.csv, Older plan" in blocks[1].text


def test_a_picture_in_the_words_is_a_file_and_their_other_form_is_none(tmp_path: Path) -> None:
    message = mail()
    message.add_alternative("<p>See below.</p><img src='cid:sign'>", subtype="html")
    words = message.get_payload(1)
    assert isinstance(words, EmailMessage)
    words.add_related(b"\x89PNG" + bytes(20), maintype="image", subtype="png", cid="<sign>")
    blocks = parsed(message, tmp_path).blocks
    assert [(block.kind, block.text) for block in blocks[2:]] == [("text", "See below."), ("file", "image/png")]
    assert "Attachments" not in blocks[1].text


def test_what_is_quoted_follows_what_is_said_and_says_whose_it_is(tmp_path: Path) -> None:
    text = "It is on 27 June.\n\nOn Fri, 2 May 2025, Priya Raman wrote:\n> Do we have a date?\n> It was in May.\n\nBest,\nJulia"
    blocks = parsed(mail(text), tmp_path).blocks
    assert blocks[2].text == "It is on 27 June.\n\n\nBest,\nJulia"
    assert blocks[3].text == "On Fri, 2 May 2025, Priya Raman wrote:\nDo we have a date?\nIt was in May."


def test_a_forwarded_mail_without_marks_follows_its_line(tmp_path: Path) -> None:
    text = "참고하세요.\n\n-----원본 메시지-----\n보낸 사람: 김민지\n\n견적은 66,000원입니다.\n"
    blocks = parsed(mail(text), tmp_path).blocks
    assert blocks[2].text == "참고하세요."
    assert blocks[3].text == "원본 메시지:\n보낸 사람: 김민지\n\n견적은 66,000원입니다."


def test_the_subject_stands_above_all_of_it(tmp_path: Path) -> None:
    blocks = parsed(mail(subject="Budget"), tmp_path).blocks
    assert (blocks[0].kind, blocks[0].text, blocks[0].level) == ("heading", "Budget", 1)


def test_what_stands_below_an_attachment_is_said_too(tmp_path: Path) -> None:
    message = mail("Please see the plan.")
    message.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="plan.pdf")
    below = EmailMessage()
    below.set_content("The deposit is 900 euros.")
    message.attach(below)
    signed = EmailMessage()
    signed.set_content(b"signature", maintype="application", subtype="pgp-signature")
    message.attach(signed)
    blocks = parsed(message, tmp_path).blocks
    assert [block.text for block in blocks[2:]] == ["Please see the plan.", "The deposit is 900 euros.", "plan.pdf"]


def test_beside_an_empty_text_the_page_is_read(tmp_path: Path) -> None:
    message = mail(" \n")
    message.add_alternative("<p>Rent is due on Friday.</p>", subtype="html")
    assert [block.text for block in parsed(message, tmp_path).blocks[2:]] == ["Rent is due on Friday."]


def test_an_answer_below_what_is_quoted_without_marks_is_the_writer_s_own(tmp_path: Path) -> None:
    blocks = parsed(mail("2026년 3월 9일 (월) 김민지님이 작성:\n> 언제 와요?\n\n내일 갑니다.\n"), tmp_path).blocks
    assert blocks[2].text == "내일 갑니다."
