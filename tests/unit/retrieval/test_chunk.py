from hypothesis import given
from hypothesis import strategies as st

from bot.retrieval.chunk import SIZE, pieces, tokens
from bot.retrieval.document import Block, Document


def document(*blocks: Block) -> Document:
    return Document("text", "", blocks)


def test_a_short_text_is_one_piece() -> None:
    (piece,) = pieces(document(Block("text", "It is short.")))
    assert (piece.text, piece.heading, piece.start, piece.end) == ("It is short.", "", 0, 12)


def test_a_long_text_is_cut_between_sentences() -> None:
    sentences = [f"Sentence number {number} is here to fill the page with something." for number in range(60)]
    text = " ".join(sentences)
    found = pieces(document(Block("text", text)))
    assert len(found) > 3
    for piece in found:
        assert piece.text.strip().endswith("something.")
        assert text[piece.start : piece.end].strip("\n") == piece.text


def test_pieces_know_the_path_of_their_headings() -> None:
    found = pieces(
        document(
            Block("heading", "Book", 1), Block("heading", "One", 2), Block("text", "a"), Block("heading", "Deep", 3), Block("text", "b"),
            Block("heading", "Two", 2), Block("text", "c"),
        )
    )  # fmt: skip
    assert [(piece.text, piece.heading) for piece in found] == [
        ("a", "Book › One"),
        ("b", "Book › One › Deep"),
        ("c", "Book › Two"),
    ]


def test_no_piece_spans_two_pages() -> None:
    found = pieces(document(Block("text", "one", page=1), Block("text", "two", page=2)))
    assert [(piece.page, piece.text) for piece in found] == [(1, "one"), (2, "two")]


def test_a_table_is_cut_between_rows() -> None:
    rows = [f"name: person {number} | phone: 555-{number:04}" for number in range(100)]
    found = pieces(document(Block("table", "\n".join(rows))))
    assert len(found) > 3
    assert [line for piece in found for line in piece.text.split("\n")] == rows


def test_a_small_table_stands_with_the_words_beside_it() -> None:
    said, table, after = Block("text", "By the ferry."), Block("table", "Day: Sat | Open: 8:00"), Block("text", "No parking.")
    (piece,) = pieces(document(Block("heading", "Harbour Street", 1), said, table, after))
    assert (piece.text, piece.heading) == ("By the ferry.\n\nDay: Sat | Open: 8:00\n\nNo parking.", "Harbour Street")


def test_a_table_that_fills_a_passage_stands_by_itself() -> None:
    rows = "\n".join(f"name: person {number} | phone: 555-{number:04}" for number in range(100))
    first, *rest = pieces(document(Block("text", "Who is who."), Block("table", rows)))
    assert first.text == "Who is who."
    assert "\n".join(piece.text for piece in rest) == rows


def test_tables_and_words_of_two_headings_stay_apart() -> None:
    found = pieces(document(Block("text", "a"), Block("heading", "Two", 1), Block("table", "b: c")))
    assert [(piece.text, piece.heading) for piece in found] == [("a", ""), ("b: c", "Two")]


def test_nothing_but_headings_is_still_found() -> None:
    assert pieces(document(Block("heading", "Agenda", 1)))[0].text == "Agenda"


def test_a_short_rest_joins_the_piece_before_it() -> None:
    sentence = "These ten words are here to fill a page, friend. "
    found = pieces(document(Block("text", sentence * 20)))
    assert all(tokens(piece.text) > 0.3 * SIZE for piece in found)


@given(st.text(st.sampled_from("ab 가나. \n\t!“”-|#"), max_size=4000))
def test_no_word_is_lost_and_no_piece_is_too_large(text: str) -> None:
    found = pieces(document(Block("text", text)))
    assert "".join("".join(piece.text for piece in found).split()) == "".join(text.split())
    assert all(tokens(piece.text) <= 2.5 * SIZE for piece in found)


def test_a_heading_below_which_nothing_stands_is_a_piece_of_its_own() -> None:
    found = pieces(
        document(
            Block("heading", "Shop", 1), Block("heading", "Hours", 2), Block("text", "Nine to six."),
            Block("heading", "Closed on 5 May", 2), Block("heading", "Prices", 2), Block("text", "They are low."),
            Block("heading", "Emergency: 010-1234-5678", 2),
        )
    )  # fmt: skip
    assert [(piece.text, piece.heading) for piece in found] == [
        ("Nine to six.", "Shop › Hours"),
        ("Closed on 5 May", "Shop"),
        ("They are low.", "Shop › Prices"),
        ("Emergency: 010-1234-5678", "Shop"),
    ]


def test_headings_without_a_text_that_follow_each_other_are_one_piece() -> None:
    found = pieces(
        document(
            Block("heading", "Wi-Fi password: hunter22", 9), Block("heading", "Door code 4711", 9), Block("heading", "Contact", 9),
            Block("text", "Ask Mina."), Block("heading", "Launch date: 12 March", 1, page=2), Block("heading", "Thanks", 1, page=3),
        )
    )  # fmt: skip
    assert [(piece.text, piece.page) for piece in found] == [
        ("Wi-Fi password: hunter22\nDoor code 4711", None),
        ("Ask Mina.", None),
        ("Launch date: 12 March", 2),
        ("Thanks", 3),
    ]
