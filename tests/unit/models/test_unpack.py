"""Archives that somebody carried in: their files, within limits, and nothing that lies."""

import gzip
import io
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.errors import ParingError, TooLargeError, UnreadableError, UnsafeModelError
from bot.models.unpack import unpack

FILES = {"model/config.json": b"{}", "model/1_Pooling/config.json": b'{"a": 1}', "model/vocab.txt": b"x\n" * 512}
Packed = Callable[..., Path]


def untold(_name: str, _done: int, _whole: int) -> None:
    """Draw no bar."""


def unpacked(source: Path) -> dict[str, bytes]:
    into = source.parent / "into"
    into.mkdir()
    unpack(source, into, untold)
    return {path.relative_to(into).as_posix(): path.read_bytes() for path in into.rglob("*") if path.is_file()}


def refused(source: Path, kind: type[ParingError], *, why: str = ".") -> None:
    into = source.parent / "into"
    into.mkdir()
    with pytest.raises(kind, match=why) as caught:
        unpack(source, into, untold)
    assert any("가" <= letter <= "힣" for letter in caught.value.sentence("ko"))


def tar_of(folder: Path, *entries: tarfile.TarInfo, content: bytes = b"{}", zipped: bool = False) -> Path:
    file = folder / "model.tar"
    with tarfile.open(file, "w:gz" if zipped else "w") as archive:
        for entry in entries:
            if entry.isreg():
                entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content) if entry.isreg() else None)
    return file


def entry(name: str, kind: bytes = tarfile.REGTYPE, leads: str = "") -> tarfile.TarInfo:
    told = tarfile.TarInfo(name)
    told.type, told.linkname = kind, leads
    return told


@pytest.mark.parametrize("kind", ["tar", "gztar", "zip", "folder"])
def test_the_files_of_each_kind_come_out(tmp_path: Path, kind: str) -> None:
    import shutil

    for name, content in FILES.items():
        (tmp_path / "from" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "from" / name).write_bytes(content)
    (tmp_path / "from" / "model" / ".git").mkdir()
    (tmp_path / "from" / "model" / ".git" / "hook.sh").write_text("x")
    source = tmp_path / "from"
    if kind != "folder":
        source = Path(shutil.make_archive(str(tmp_path / "packed"), kind, source))

    assert unpacked(source) == FILES


@pytest.mark.parametrize(
    "told",
    [
        entry("../out.json"),
        entry("/out.json"),
        entry("a/../../out.json"),
        entry("a\\out.json"),
        entry("model/pytorch_model.bin"),
        entry("link.json", tarfile.SYMTYPE, "/etc/passwd"),
        entry("link", tarfile.SYMTYPE, "/etc"),
        entry("hard.json", tarfile.LNKTYPE, "/etc/passwd"),
        entry("null.json", tarfile.CHRTYPE),
        entry("disk.json", tarfile.BLKTYPE),
        entry("pipe.json", tarfile.FIFOTYPE),
        entry("x\u202e.json"),
        entry("d/" * 20 + "x.json"),
    ],
    ids=lambda told: told.name[:20],
)
@pytest.mark.parametrize("zipped", [False, True])
def test_a_member_that_is_no_file_of_the_model_is_refused(tmp_path: Path, told: tarfile.TarInfo, *, zipped: bool) -> None:
    refused(tar_of(tmp_path, told, zipped=zipped), UnsafeModelError)
    assert not list((tmp_path / "into").rglob("*"))


@pytest.mark.parametrize(
    "names", [("a.json", "a.json"), ("a.json", "a.json/b.json"), ("a/b.json", "A/c.json"), ("é.json", "e\u0301.json")]
)
def test_names_that_clash_are_refused(tmp_path: Path, names: tuple[str, str]) -> None:
    refused(tar_of(tmp_path, *map(entry, names)), UnsafeModelError, why="the same name")


def test_a_link_through_which_the_next_would_be_written_is_refused(tmp_path: Path) -> None:
    refused(tar_of(tmp_path, entry("a", tarfile.SYMTYPE, str(tmp_path)), entry("a/out.json")), UnsafeModelError)
    assert not (tmp_path / "out.json").exists()


def test_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.models.unpack.MOST_FILES", 5)
    refused(tar_of(tmp_path, *(entry(f"{number}.json") for number in range(6))), UnsafeModelError, why="more than 5 files")


def test_folders_without_end_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.models.unpack.MOST_FILES", 5)
    refused(
        tar_of(tmp_path, *(entry(f"d{number}", tarfile.DIRTYPE) for number in range(20))), UnsafeModelError, why="more than 5"
    )


def test_a_bomb_is_refused_before_it_grows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.models.unpack.SMALL_BYTES", 1 << 20)
    refused(tar_of(tmp_path, entry("zeros.json"), content=bytes(8 << 20), zipped=True), TooLargeError)
    assert not (tmp_path / "into" / "zeros.json").exists()


def test_a_zip_bomb_is_refused_before_it_grows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.models.unpack.SMALL_BYTES", 1 << 20)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros.json", bytes(8 << 20))
    refused(tmp_path / "a.zip", TooLargeError)


def test_what_the_disk_has_no_room_for_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.models.unpack.KEPT_FREE_BYTES", 1 << 60)
    refused(tar_of(tmp_path, entry("a.json")), TooLargeError, why="no room")


def test_a_header_that_says_ten_gigabytes_is_not_read_into_memory(tmp_path: Path) -> None:
    long_name = entry("././@LongLink", tarfile.GNUTYPE_LONGNAME)
    long_name.size = 10 << 30
    (tmp_path / "a.tar").write_bytes(gzip.compress(long_name.tobuf(tarfile.GNU_FORMAT) + bytes(8 << 20)))
    refused(tmp_path / "a.tar", UnreadableError)


def test_a_header_that_leads_back_is_not_read_for_ever(tmp_path: Path) -> None:
    backward = entry("././@PaxHeader", tarfile.REGTYPE)
    head = bytearray(backward.tobuf(tarfile.GNU_FORMAT))
    head[124:136] = b"\xff" * 4 + struct.pack(">q", -2048)  # base 256: negative
    head[148:156] = b"        "
    head[148:156] = b"%06o\0 " % sum(head)
    (tmp_path / "a.tar").write_bytes(bytes(head) + bytes(4096))
    refused(tmp_path / "a.tar", UnreadableError)


@pytest.mark.parametrize("content", [b"", b"x", b"PK\x03\x04nothing", b"\x1f\x8bnothing", b"\0" * 2048, b"{}" * 999])
def test_what_is_no_archive_says_so(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.tar").write_bytes(content)
    refused(tmp_path / "a.tar", UnreadableError)


@pytest.mark.parametrize("kind", ["tar", "gztar", "zip"])
@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_an_archive_that_is_cut_off_says_so(tmp_path: Path, kind: str, share: float) -> None:
    import shutil

    (tmp_path / "from").mkdir()
    (tmp_path / "from" / "vocab.txt").write_text("".join(f"{number * number}\n" for number in range(30_000)))
    whole = Path(shutil.make_archive(str(tmp_path / "packed"), kind, tmp_path / "from"))
    whole.write_bytes(whole.read_bytes()[: int(whole.stat().st_size * share)])
    refused(whole, UnreadableError)


def test_a_zip_s_locked_and_linked_members_are_refused(tmp_path: Path) -> None:
    told = zipfile.ZipInfo("link.json")
    told.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(told, "/etc/passwd")
    refused(tmp_path / "a.zip", UnsafeModelError)
    (tmp_path / "into").rmdir()
    data = (tmp_path / "a.zip").read_bytes().replace(b"\xff\xa1", b"\xb4\x81")
    at = data.index(b"PK\x01\x02") + 8
    (tmp_path / "a.zip").write_bytes(data[:at] + b"\x01" + data[at + 1 :])
    refused(tmp_path / "a.zip", UnreadableError)


def test_a_folder_s_links_are_refused(tmp_path: Path) -> None:
    (tmp_path / "from").mkdir()
    (tmp_path / "from" / "a.json").symlink_to("/etc/passwd")
    refused(tmp_path / "from", UnsafeModelError, why="it is a link")
