"""What the table of Korean learns from: pairs without mark-up, from catalogues and from pages that correspond."""

from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo

from benchmarks.parallel_texts import pairs_of, plain


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("&Open <b>%s</b>…", "Open"),
        ("파일 열기(_O)", "파일 열기"),
        ("{count} files &amp; folders", "files & folders"),
        ("Copied %(name)s to ${HOME}.", "Copied to"),
    ],
)
def test_a_message_is_what_a_person_would_read(text: str, said: str) -> None:
    assert plain(text) == said


def test_a_catalogue_gives_each_message_that_stands_in_both_languages(tmp_path: Path) -> None:
    catalogue = Catalog(locale="ko")
    for english, korean in [
        ("Open the _file", "파일 열기(_F)"),
        ("Sans", "Sans"),
        ("It is saved. It is closed.", "저장되었습니다. 닫혔습니다."),
    ]:
        catalogue.add(english, korean)
    file = tmp_path / "editor" / "usr" / "share" / "locale" / "ko" / "LC_MESSAGES" / "editor.mo"
    file.parent.mkdir(parents=True)
    with file.open("wb") as opened:
        write_mo(opened, catalogue)
    (file.parent / "broken.mo").write_bytes(b"no catalogue")

    assert set(pairs_of(tmp_path / "editor")) == {
        ("editor", "파일 열기", "Open the file"),
        ("editor", "저장되었습니다. 닫혔습니다", "It is saved. It is closed"),
        ("editor", "저장되었습니다.", "It is saved."),
        ("editor", "닫혔습니다", "It is closed"),
    }


def test_paragraphs_of_the_help_are_paired_by_their_ids(tmp_path: Path) -> None:
    for package, language, text in [
        ("libreoffice-help-ko", "ko", "표를 <em>삽입</em>합니다"),
        ("libreoffice-help-en-us", "en-US", "Inserts a <em>table</em>"),
    ]:
        page = tmp_path / package / "usr" / "share" / "libreoffice" / "help" / language / "text" / "table.html"
        page.parent.mkdir(parents=True)
        page.write_text(f'<p id="par_id31" class="paragraph">{text}</p><p id="par_id{len(text)}9">{text}</p>', encoding="utf-8")

    assert list(pairs_of(tmp_path / "libreoffice-help-ko")) == [("libreoffice-help-ko", "표를 삽입 합니다", "Inserts a table")]
