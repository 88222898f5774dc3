import numpy as np
import pytest

from bot.retrieval.chunk import Piece, pieces
from bot.retrieval.document import Block, Document
from bot.retrieval.embed import draft, embedded_text, finish, readable, unpack_terms
from bot.retrieval.tokens import fingerprints
from bot.store.shelf import Candidate

PIECE = Piece("The lamp is blue.", "Colours", 3, 0, 17)


@pytest.mark.parametrize(
    ("title", "said"),
    [
        ("annual_report.pdf", "annual report"),
        ("docs/guide.md", "guide"),
        ("1973_oil_crisis", "1973 oil crisis"),
        ("Release 2.0", "Release 2.0"),
        ("", ""),
    ],
)
def test_a_files_name_is_read_as_words(title: str, said: str) -> None:
    assert readable(title) == said


def test_title_and_heading_are_embedded_before_the_text_but_not_twice() -> None:
    assert embedded_text("The lamp is blue.", title="lamps.md", heading="Colours") == "lamps\nColours\nThe lamp is blue."
    assert embedded_text("Lamps are blue.", title="Lamps", heading="") == "Lamps are blue."


def test_terms_come_back_by_field() -> None:
    (drafted,) = draft([PIECE], title="lamps.md")
    assert drafted.words == ("lamp", "colour", "the lamp is blue")
    title, heading, body = unpack_terms([Candidate(1, 1, "lamps.md", 0.0, drafted.terms)] * 2)
    assert title.flat.tolist() == fingerprints(["lamp", "lamp"]).tolist()
    assert heading.sizes.tolist() == [1, 1]
    assert body.sizes.tolist() == [4, 4]


def test_terms_of_unlike_passages_are_not_mixed_up() -> None:
    fields = [
        ("red.md", "Colours of lamps", "One. Two three."),
        ("", "", "Four"),
        ("a_b_c.txt", "", ""),
        ("", "Five six", "Seven"),
    ]
    drafts = [draft([Piece(text, heading, None, 0, len(text))], title=title)[0] for title, heading, text in fields]
    unpacked = unpack_terms([Candidate(1, 1, "", 0.0, drafted.terms) for drafted in drafts])
    for number, tokens in enumerate(unpacked):
        said = [drafted.words[number].split() for drafted in drafts]
        assert tokens.sizes.tolist() == [len(words) for words in said]
        assert tokens.flat.tolist() == fingerprints([word for words in said for word in words]).tolist()
        assert tokens.owners.tolist() == [owner for owner, words in enumerate(said) for _word in words]


def test_a_vector_is_kept_in_half_precision() -> None:
    (drafted,) = draft([PIECE], title="")
    vector = np.array([0.6, 0.8], np.float32)
    kept = np.frombuffer(finish(drafted, vector).vector, "<f2")
    np.testing.assert_allclose(kept, vector, atol=1e-3)
    assert finish(drafted, None).vector == b""


def test_the_language_is_each_passages_own() -> None:
    languages = [one.language for one in draft([PIECE, Piece("등은 파랗습니다.", "", None, 0, 9)], title="")]
    assert languages == ["en", "ko"]


def test_the_language_is_each_passage_s_own_in_a_document_of_two() -> None:
    document = Document("text", "", (Block("heading", "One", 1), Block("text", "The harbour opens in May."),
                                     Block("heading", "둘", 1), Block("text", "항구는 5월에 엽니다.")))  # fmt: skip
    assert [drafted.language for drafted in draft(pieces(document), title="항구 harbour.txt")] == ["en", "ko"]
