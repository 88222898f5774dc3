import pytest

from bot.retrieval.decode import clean, decode, is_binary

KOREAN = "회의는 오후 3시에 시작합니다. 장소는 2층입니다."


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp949", "euc-kr", "utf-32"])
@pytest.mark.parametrize("text", [KOREAN, "Meeting at 3 pm: 회의, second floor, please bring the plan"])
def test_korean_is_read_in_every_encoding(encoding: str, text: str) -> None:
    assert not is_binary(text.encode(encoding))
    assert decode(text.encode(encoding)) == text


@pytest.mark.parametrize("text", ["Café Zürich, à bientôt", "Ärzte über Öl", "naïve façade — “quoted”", "señor año"])
def test_western_letters_are_not_taken_for_korean(text: str) -> None:
    assert decode(text.encode("cp1252")) == text


def test_a_text_that_is_cut_in_the_midst_of_a_letter_keeps_the_rest() -> None:
    assert decode("한글입니다".encode()[:-1]) == "한글입니"


def test_clean_leaves_tabs_and_lines() -> None:
    assert clean("a\tb\r\nc\rd\x00\ud800e") == "a\tb\nc\nde"


def test_binary_is_told_from_text() -> None:
    assert is_binary(bytes(range(32)) * 10)
    assert not is_binary(KOREAN.encode("utf-16"))
    assert not is_binary(KOREAN.encode("cp949"))
    assert not is_binary(b"\x1b[31mred\x1b[0m and plain text that follows, as a terminal's log has it")


@pytest.mark.parametrize("encoding", ["utf-8", "cp949"])
def test_a_damaged_byte_costs_its_own_letter_alone(encoding: str) -> None:
    before, after = (f"{KOREAN}\n".encode(encoding), KOREAN.encode(encoding))
    assert decode(before + b"\xff\n" + after) == f"{KOREAN}\n\ufffd\n{KOREAN}"


def test_a_line_that_a_program_broke_softly_is_broken() -> None:
    assert decode(b"first\x0bsecond") == "first\nsecond"
