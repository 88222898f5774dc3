import io
import zipfile
from pathlib import Path

import pytest
from hwpx_files import hwpx, p

from benchmarks.faults import quines
from bot.errors import InputError, TooLargeError, UnreadableError
from bot.passage import PUBLIC, Failed, Scopes
from bot.retrieval import held, members
from bot.retrieval.library import Shelves
from bot.store.database import Database
from bot.store.documents import Documents


def zipped(files: dict[str, bytes], *, korean: bool = False) -> bytes:
    """Return a ZIP of `files`; `korean` as old Windows wrote it: names in CP949, and no word of that."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    made = out.getvalue()
    for name in files if korean else ():
        length = len(name.encode())
        foreign = name.encode("cp949")
        assert len(foreign) <= length
        made = made.replace(name.encode(), foreign + b" " * (length - len(foreign)))
    return made.replace(b"\x00\x08\x08\x00", b"\x00\x00\x08\x00") if korean else made


def locked(data: bytes) -> bytes:
    """Return a ZIP whose first file says that it is encrypted."""
    made = bytearray(data)
    made[6] |= 1
    made[made.index(b"PK\x01\x02") + 8] |= 1
    return bytes(made)


async def titles(library: Shelves, words: str) -> list[str]:
    return [hit.passage.title for hit in (await library.search(words, Scopes([PUBLIC])))[:1]]


async def test_each_file_of_an_archive_is_a_document_under_both_names(library: Shelves, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(
        zipped({"2025/plan.txt": b"The harbour opens in May.", "휴가.hwpx": hwpx(p("연차는 15일입니다."))})
    )
    added = await library.add_file(tmp_path / "a", PUBLIC, title="team.zip")
    assert (added.status, added.files, added.passages, added.failed) == ("added", 2, 2, ())
    assert await titles(library, "When does the harbour open?") == ["team.zip › 2025/plan.txt"]
    assert await titles(library, "연차는 며칠인가요?") == ["team.zip › 휴가.hwpx"]


async def test_a_bad_file_is_told_and_the_rest_is_read(library: Shelves, tmp_path: Path) -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", bytes(50_000_000))
    files = {
        "first.txt": b"locked",
        "cut.pdf": b"%PDF-1.7",
        "empty.md": b"",
        "bomb.docx": bomb.getvalue(),
        "good.txt": b"A zebra.",
    }
    (tmp_path / "a").write_bytes(locked(zipped(files)))
    added = await library.add_file(tmp_path / "a", PUBLIC, title="a.zip")
    assert (added.files, added.passages) == (1, 1)
    assert [(failed.path, str(failed.reason).partition(" ")[2][:20]) for failed in added.failed] == [
        ("a.zip › first.txt", "is locked with a pas"), ("a.zip › cut.pdf", "is cut off or damage"),
        ("a.zip › empty.md", "is empty. Nothing wa"), ("a.zip › bomb.docx", "would unpack to 47 M"),
    ]  # fmt: skip


async def test_the_names_of_old_korean_windows_are_read(library: Shelves, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(zipped({"회의록/삼월.txt": "예산을 줄입니다.".encode()}, korean=True))
    await library.add_file(tmp_path / "a", PUBLIC, title="a.zip")
    assert await titles(library, "예산을 어떻게 하나요?") == ["a.zip › 회의록/삼월.txt"]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd.txt", "etc/passwd.txt"), ("/root/a.txt", "root/a.txt"), ("C:\\Temp\\..\\a.txt", "Temp/a.txt"),
        ("a\0.exe.txt", "a.exe.txt"), ("./b//c.txt", "b/c.txt"),
    ],
)  # fmt: skip
def test_no_path_hides_in_a_name(name: str, shown: str) -> None:
    entry = zipfile.ZipInfo()
    entry.orig_filename, entry.flag_bits = name, 0x800
    assert held.name_of(entry) == shown


async def test_two_files_of_one_name_are_two_documents(library: Shelves, database: Database, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(zipped({"a.txt": b"The zebra.", "./a.txt": b"The whale."}))
    await library.add_file(tmp_path / "a", PUBLIC, title="a.zip", key="k")
    assert sorted(await Documents(database).keys(PUBLIC, beginning="k//")) == ["k//a (2).txt", "k//a.txt"]


async def test_again_nothing_changes_and_what_changed_is_replaced(library: Shelves, database: Database, tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(zipped({"a.txt": b"The zebra.", "gone.txt": b"The whale.", "same.txt": b"The crane."}))
    await library.add_file(file, PUBLIC, title="a.zip", key="k")
    assert (await library.add_file(file, PUBLIC, title="a.zip", key="k")).status == "unchanged"
    file.write_bytes(zipped({"a.txt": b"The zebra is old.", "new.txt": b"The ibis.", "same.txt": b"The crane."}))
    again = await library.add_file(file, PUBLIC, title="a.zip", key="k")
    assert (again.status, again.passages) == ("replaced", 2)
    assert sorted(await Documents(database).keys(PUBLIC, beginning="k//")) == ["k//a.txt", "k//new.txt", "k//same.txt"]


async def test_an_archive_with_a_bad_file_tells_it_again(library: Shelves, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(zipped({"a.txt": b"The zebra.", "b.txt": b""}))
    for status in ("added", "unchanged"):
        added = await library.add_file(tmp_path / "a", PUBLIC, title="a.zip", key="k")
        assert (added.status, len(added.failed)) == (status, 1)


async def test_with_an_archive_goes_what_was_in_it(library: Shelves, database: Database, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(zipped({"a.txt": b"The zebra.", "b.zip": zipped({"c.txt": b"The whale."})}))
    await library.add_file(tmp_path / "a", PUBLIC, title="a.zip", key="k")
    assert await library.remove(PUBLIC, key="k") == 2
    assert await Documents(database).keys(PUBLIC, beginning="k") == []


async def test_an_archive_in_an_archive_is_read_and_no_deeper(library: Shelves, tmp_path: Path) -> None:
    deep = zipped({"c.txt": b"The whale."})
    (tmp_path / "a").write_bytes(zipped({"b.zip": zipped({"d.txt": b"The crane.", "c.zip": deep})}))
    added = await library.add_file(tmp_path / "a", PUBLIC, title="a.zip")
    assert await titles(library, "What does the crane do?") == ["a.zip › b.zip › d.txt"]
    assert [failed.path for failed in added.failed] == ["a.zip › b.zip › c.zip"]


async def test_what_all_archives_unpack_to_is_bounded(library: Shelves, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(members, "MOST_FILES", 3)
    (tmp_path / "a").write_bytes(zipped({f"{number}.txt": f"word {number}".encode() for number in range(5)}))
    added = await library.add_file(tmp_path / "a", PUBLIC, title="a.zip")
    assert (added.files, len(added.failed)) == (3, 2)
    assert "unpacks to over 3 files" in str(added.failed[0].reason)


async def test_what_cannot_be_taken_out_is_counted_as_well(
    library: Shelves, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else an archive of archives of locked files, of some hundred kilobytes, keeps the readers for hours."""
    tried, take = list[str](), held.take
    monkeypatch.setattr(held, "take", lambda **given: (tried.append(given["name"]), take(**given))[1])
    monkeypatch.setattr(members, "MOST_FILES", 20)
    (tmp_path / "a").write_bytes(quines.locked_within(archives=6, files=50))
    with pytest.raises(InputError, match="none of the files"):
        await library.add_file(tmp_path / "a", PUBLIC, title="a.zip")
    assert len(tried) == 20


async def test_where_files_that_cannot_be_read_take_long_the_rest_is_left(
    library: Shelves, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(members, "SLOW_S", 0.0)
    monkeypatch.setattr(members, "MOST_LOST_S", 0.0)
    monkeypatch.setattr(members, "AT_ONCE", 1)
    (tmp_path / "a").write_bytes(zipped({"a.txt": b"The zebra.", "empty.txt": b"", "b.txt": b"The ibis."}))
    added = await library.add_file(tmp_path / "a", PUBLIC, title="a.zip")
    assert [(failed.path, "took too long" in str(failed.reason)) for failed in added.failed] == [
        ("a.zip › empty.txt", False),
        ("a.zip › b.txt", True),
    ]


async def test_an_archive_that_holds_itself_ends_with_a_sentence(library: Shelves, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(quines.itself())
    with zipfile.ZipFile(tmp_path / "a") as archive:
        assert archive.read(archive.namelist()[0]) == quines.itself()
    with pytest.raises(InputError, match="is an archive within archives"):
        await library.add_file(tmp_path / "a", PUBLIC, title="a.zip")


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (zipped({"a.exe": b"MZ", "__MACOSX/a.txt": b"x", ".hidden": b"x"}), "without documents that I can read"),
        (zipped({"a.txt": b""}), "is empty"),
        (zipped({"a.txt": b"text"})[:40], "cut off or damaged"),
    ],
    ids=["nothing of use", "an empty file", "cut off"],  # the bytes hold the time of day
)
async def test_an_archive_of_which_nothing_is_kept_says_why(library: Shelves, tmp_path: Path, data: bytes, told: str) -> None:
    (tmp_path / "a").write_bytes(data)
    with pytest.raises(InputError, match=told):
        await library.add_file(tmp_path / "a", PUBLIC, title="a.zip")


async def test_too_many_files_are_refused(library: Shelves, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held, "MOST_FILES", 1)
    (tmp_path / "a").write_bytes(zipped({"a.txt": b"x", "b.txt": b"y"}))
    with pytest.raises(TooLargeError, match="holds 2 files"):
        await library.add_file(tmp_path / "a", PUBLIC, title="a.zip")


async def test_a_folder_s_archives_are_read_and_missed(library: Shelves, tmp_path: Path) -> None:
    from bot.retrieval.folder import missing

    (tmp_path / "team").mkdir()
    archive = tmp_path / "team" / "a.zip"
    archive.write_bytes(zipped({"a.txt": b"The zebra.", "b.txt": b""}))
    (tmp_path / "team" / "c.txt").write_text("The crane.")
    done = await library.add_many([tmp_path / "team"], PUBLIC)
    assert (done.added, [failed.path for failed in done.failed]) == (2, ["a.zip › b.txt"])
    keys = [f"path:{archive}", f"path:{archive}//a.txt"]
    assert missing([tmp_path / "team"], keys) == []
    archive.unlink()
    assert missing([tmp_path / "team"], keys) == keys


def test_what_failed_is_told_with_its_sentence() -> None:
    assert Failed("a.zip › b.txt", UnreadableError("It is empty.").text).path == "a.zip › b.txt"
