import errno
import os
import unicodedata
import zipfile
from pathlib import Path

import pytest

from bot.passage import PUBLIC, WITHIN, Scopes
from bot.retrieval.folder import Gathered, key_of, missing, path_of, read_from, walk
from bot.retrieval.library import Shelves


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "team"
    for name, text in {
        "a.txt": "the elephant is grey", "deep/b.md": "# B\n\nthe zebra is striped", "broken.pdf": "%PDF-1.7 and nothing", ".hidden.txt": "x",
        ".git/config": "x", "node_modules/x.js": "x", "photo.psd": "x", "~$a.docx": "x",
    }.items():  # fmt: skip
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return root


def test_hidden_files_and_those_of_programs_are_passed_over(folder: Path) -> None:
    assert [title for _file, title in walk(folder)] == ["a.txt", "broken.pdf", "deep/b.md"]


def test_a_home_of_paring_is_passed_over(folder: Path) -> None:
    for name in ("paring.db", "blobs/0a1b", "models/readme.txt"):
        file = folder / "home" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("what was said in somebody's chat")
    assert [title for _file, title in walk(folder)] == ["a.txt", "broken.pdf", "deep/b.md"]
    assert not list(walk(folder / "home"))


def test_names_are_shown_as_people_write_them(tmp_path: Path) -> None:
    names = [unicodedata.normalize("NFD", "휴가.txt").encode(), "회의.txt".encode("cp949")]
    for name in names:
        (tmp_path / os.fsdecode(name)).write_text("the elephant is grey")
    assert {title for _file, title in walk(tmp_path)} == {"휴가.txt", "회의.txt"}


async def test_a_name_that_is_no_utf8_is_kept_like_any_other(library: Shelves, tmp_path: Path) -> None:
    folder = tmp_path / "old"
    folder.mkdir()
    (folder / os.fsdecode("회의.txt".encode("cp949"))).write_text("the elephant is grey")
    (folder / os.fsdecode("빈.txt".encode("cp949"))).write_text("")
    done = await library.add_many([folder], PUBLIC)
    assert (done.added, len(done.failed)) == (1, 1)
    assert done.to("ko").encode()


def test_a_file_that_is_named_itself_is_always_tried(folder: Path) -> None:
    assert [title for _file, title in walk(folder / ".hidden.txt")] == [".hidden.txt"]


async def test_one_bad_file_is_told_and_does_not_stop_the_rest(library: Shelves, folder: Path) -> None:
    reports: list[tuple[str, float, int, int]] = []
    done = await library.add_many([folder], PUBLIC, lambda *told, passages=0: reports.append((*told, passages)))
    assert (done.added, done.unchanged, done.passages) == (2, 0, 2)
    assert [Path(failed.path).name for failed in done.failed] == ["broken.pdf"]
    assert "not read" in done.to("en")
    assert reports[-1] == ("", 3, 3, 2)
    assert done.as_json()["added"] == 2


async def test_a_folder_that_cannot_be_opened_is_told(library: Shelves, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scandir = os.scandir

    def denied(path: str) -> object:
        if Path(path).name == "deep":
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", denied)
    done = await library.add_many([folder, folder / "deep"], PUBLIC)
    assert (done.added, [failed.path for failed in done.failed if failed.passing]) == (1, [str(folder / "deep")])
    assert f"not read: {folder / 'deep'}: it cannot be opened (permission denied); check who may read it" in done.to("en")


async def test_again_changes_nothing(library: Shelves, folder: Path) -> None:
    await library.add_many([folder], PUBLIC)
    again = await library.add_many([folder, folder / "a.txt"], PUBLIC)
    assert (again.added, again.replaced, again.unchanged) == (0, 0, 2)


async def test_two_files_of_one_name_in_two_folders_are_two_documents(library: Shelves, tmp_path: Path) -> None:
    for place in ("one", "two"):
        (tmp_path / place).mkdir()
        (tmp_path / place / "README.md").write_text(f"folder {place}")
    done = await library.add_many([tmp_path / "one", tmp_path / "two"], PUBLIC)
    assert done.added == 2
    (tmp_path / "one" / "README.md").write_text("folder uno")
    assert (await library.add_many([tmp_path / "one"], PUBLIC)).replaced == 1
    assert len((await library.rank("folder", Scopes([PUBLIC]), count=9)).ids) == 2


async def kept(library: Shelves) -> list[tuple[str, str]]:
    """Return (path, title) of all that is kept, by title."""
    return sorted(((path_of(held.key), held.title) for held in await library.held(PUBLIC)), key=lambda one: one[1])


async def test_a_folder_that_was_renamed_is_kept_by_its_new_name(library: Shelves, tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "plan.md").write_text("the zebra leaves on monday")
    with zipfile.ZipFile(tmp_path / "old" / "all.zip", "w") as archive:
        archive.writestr("inner.md", "the crane leaves on tuesday")
    await library.add_many([tmp_path / "old"], PUBLIC)
    new = (tmp_path / "old").rename(tmp_path / "new")
    again = await library.add_many([new], PUBLIC)
    assert (again.added, again.unchanged) == (2, 0)
    assert await kept(library) == [
        (f"{new}/all.zip", "all.zip"), (f"{new}/all.zip", "all.zip › inner.md"), (f"{new}/plan.md", "plan.md"),
    ]  # fmt: skip
    assert (await library.add_many([new], PUBLIC)).unchanged == 2
    assert len((await library.rank("leaves on", Scopes([PUBLIC]), count=9)).ids) == 2


async def test_a_copy_of_what_still_lies_there_changes_nothing(library: Shelves, tmp_path: Path) -> None:
    for name in ("a.md", "b.md"):
        (tmp_path / name).write_text("the zebra leaves on monday")
        await library.add_many([tmp_path / name], PUBLIC)
    assert await kept(library) == [(f"{tmp_path}/a.md", "a.md")]


async def test_what_came_in_a_chat_is_not_taken_for_a_file_that_is_gone(library: Shelves, tmp_path: Path) -> None:
    (tmp_path / "b.md").write_text("the zebra leaves on monday")
    await library.add_file(tmp_path / "b.md", PUBLIC, title="a.md")
    assert (await library.add_many([tmp_path / "b.md"], PUBLIC)).unchanged == 1


def test_what_lay_in_a_folder_and_is_gone_is_missing(folder: Path, tmp_path: Path) -> None:
    keys = [f"path:{folder}/{name}" for name in ("a.txt", "gone.txt", "deep/gone.md", "photo.psd")]
    keys += [f"path:{tmp_path}/elsewhere.txt", f"path:{folder}2/gone.txt", "file:gone.txt"]
    assert [Path(path_of(key)).name for key in missing([folder], keys)] == ["gone.txt", "gone.md"]


def test_what_was_read_from_a_file_an_archive_or_a_folder_is_told_from_its_neighbours(tmp_path: Path) -> None:
    names = ("team/a.txt", "team/deep/b.zip\x1fin/it.txt", "team2/a.txt", "team.txt")
    keys = [key_of(tmp_path / name.replace("\x1f", WITHIN)) for name in names] + ["file:team/a.txt", "link:https://team/a.txt"]
    assert read_from([tmp_path / "team"], keys) == keys[:2]
    assert read_from([tmp_path / "team/deep/b.zip"], keys) == keys[1:2]
    assert read_from([tmp_path / "team.txt"], keys) == keys[3:4]
    assert read_from([Path("/")], keys) == keys[:4]


def test_of_a_folder_in_which_nothing_is_left_nothing_is_missing(tmp_path: Path) -> None:
    (tmp_path / "drive").mkdir()
    assert missing([tmp_path / "drive"], [f"path:{tmp_path}/drive/a.txt"]) == []
    assert missing([tmp_path / "none"], [f"path:{tmp_path}/none/a.txt"]) == []


def test_what_cannot_be_looked_at_is_not_missing(folder: Path) -> None:
    refused = "x" * 300  # longer than a name may be: the system refuses to look
    assert missing([folder], [f"path:{folder}/{refused}"]) == []


def test_what_was_removed_is_told() -> None:
    done = Gathered(0, 0, 2, 0, (), 0.1, removed=("/team/old.txt",))
    assert "removed, for it is no longer there: /team/old.txt" in done.to("en")
    assert done.as_json()["removed"] == ("/team/old.txt",)


async def test_a_long_document_is_told_of_by_parts(library: Shelves, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.retrieval.shelving.PART", 2)
    (tmp_path / "long.md").write_text("\n\n".join(f"# {number}\n\nThe zebra {number}." for number in range(5)))
    reports: list[tuple[float, int]] = []
    await library.add_many(
        [tmp_path / "long.md"], PUBLIC, lambda _now, done, _of, *, passages=0: reports.append((done, passages))
    )
    assert reports == [(0, 0), (0.4, 2), (0.8, 4), (1.0, 5), (1, 5)]
