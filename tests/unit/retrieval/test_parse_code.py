import pytest

from bot.retrieval.parse_code import read_code


def kinds(text: str) -> list[tuple[str, str]]:
    return [(block.kind, block.text) for block in read_code(text).blocks]


def test_each_function_stands_under_its_first_line() -> None:
    code = (
        "LIMIT = 4\n\n\n# the fee\ndef fee(total):\n    return total / 50\n\n\nclass Mail:\n    def send(self):\n        pass\n"
    )
    assert kinds(code) == [
        ("code", "LIMIT = 4"),
        ("heading", "def fee(total)"), ("code", "# the fee\ndef fee(total):\n    return total / 50"),
        ("heading", "class Mail"), ("code", "class Mail:"),
        ("heading", "def send(self)"), ("code", "    def send(self):\n        pass"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "heading"),
    [
        ("CREATE TABLE invoices (", "CREATE TABLE invoices"),
        ("export async function load(id) {", "export async function load(id)"),
        ("const fee = (total) => {", "const fee = (total) =>"),
        ("func Charge(card Card) error {", "func Charge(card Card) error"),
        ("static int charge(struct card *card)", "static int charge(struct card *card)"),
        ("restart() {", "restart()"),
    ],
)
def test_definitions_of_other_languages_are_known(line: str, heading: str) -> None:
    assert ("heading", heading) in kinds(f"{line}\n  x\n")


@pytest.mark.parametrize("text", ["replicas: 6\nimage: a/b:3\n", "else if (x) {\n}\n", f"function f(){{{'x ' * 400}}}\n"])
def test_what_defines_nothing_is_one_block(text: str) -> None:
    assert kinds(text) == [("code", text.strip("\n"))]
