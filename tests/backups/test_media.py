"""The uploaded media: packed beside a backup, and put back."""

import errno
import io
import os
import tarfile
from pathlib import Path

import pytest

from backups.engine import media as media_module
from backups.engine.media import pack_media, unpack_media
from backups.errors import BackupFailed, Damaged, DiskIsFull, Interrupted, NotWritable
from tests.backups.assembled import small_disk

CONTENT = {
    "products/чай с молоком.png": b"\x89PNG tea",
    "products/🧋/bubble.jpg": os.urandom(70_000),
    "empty.txt": b"",
    "a" * 120 + "/" + "b" * 150 + ".webp": b"long name",
}


@pytest.fixture
def media(tmp_path: Path) -> Path:
    return written(tmp_path / "media", CONTENT)


def written(folder: Path, content: dict[str, bytes]) -> Path:
    for name, data in content.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def read(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_all_media_come_back_with_their_names_content_and_age(media: Path, tmp_path: Path) -> None:
    os.utime(media / "empty.txt", (1_700_000_000, 1_700_000_000))
    archive = tmp_path / "media.tar"
    assert pack_media(media, archive) == 4
    assert unpack_media(archive, tmp_path / "again", expected=4) == 4
    assert read(tmp_path / "again") == CONTENT
    assert (tmp_path / "again" / "empty.txt").stat().st_mtime == 1_700_000_000
    assert archive.stat().st_mode & 0o777 == 0o600


def test_a_shop_without_media_has_an_empty_archive(tmp_path: Path) -> None:
    archive = tmp_path / "media.tar"
    assert pack_media(tmp_path / "no such folder", archive) == 0
    assert unpack_media(archive, tmp_path / "again", expected=0) == 0


def test_links_and_pipes_are_not_followed(media: Path, tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "key").write_text("secret")
    (media / "link to a file").symlink_to(tmp_path / "secrets" / "key")
    (media / "link to a folder").symlink_to(tmp_path / "secrets")
    os.mkfifo(media / "pipe")
    archive = tmp_path / "media.tar"
    assert pack_media(media, archive) == 4
    with tarfile.open(archive) as packed:
        assert sorted(packed.getnames()) == sorted(CONTENT)


def test_only_what_is_missing_is_put_back_and_nothing_is_deleted(media: Path, tmp_path: Path) -> None:
    archive = tmp_path / "media.tar"
    pack_media(media, archive)
    (media / "empty.txt").unlink()
    written(media, {"products/чай с молоком.png": b"a newer picture", "new.png": b"uploaded since"})
    assert unpack_media(archive, media) == 1
    assert read(media) == CONTENT | {"products/чай с молоком.png": b"a newer picture", "new.png": b"uploaded since"}

    assert unpack_media(archive, media, replace=True) == 4
    assert read(media) == CONTENT | {"new.png": b"uploaded since"}


def test_a_file_that_disappears_meanwhile_is_left_out(media: Path, tmp_path: Path) -> None:
    asked = []

    def delete_the_next() -> bool:
        asked.append(1)
        (media / "empty.txt").unlink(missing_ok=True)
        return False

    archive = tmp_path / "media.tar"
    assert pack_media(media, archive, is_stopped=delete_the_next) == 3
    assert len(asked) == 4
    assert unpack_media(archive, tmp_path / "again", expected=3) == 3


def test_a_file_that_is_cut_short_meanwhile_breaks_no_other_file(
    media: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = media_module.PromisedBytes

    def cut_short(file: io.BufferedReader, size: int, path: Path) -> media_module.PromisedBytes:
        if path.name == "bubble.jpg":
            os.truncate(path, 10)
        return real(file, size, path)

    monkeypatch.setattr(media_module, "PromisedBytes", cut_short)
    archive = tmp_path / "media.tar"
    assert pack_media(media, archive) == 4
    unpack_media(archive, tmp_path / "again", expected=4)
    cut = CONTENT["products/🧋/bubble.jpg"][:10].ljust(70_000, b"\0")
    assert read(tmp_path / "again") == CONTENT | {"products/🧋/bubble.jpg": cut}


def test_a_file_that_can_not_be_read_is_named(media: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.open

    def refuse(path: os.PathLike[str], flags: int, mode: int = 0o777) -> int:
        if Path(path).name == "empty.txt":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(path, flags, mode)

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(BackupFailed, match=r"media/empty\.txt can't be read \(Permission denied\): give this account"):
        pack_media(media, tmp_path / "media.tar")
    assert not (tmp_path / "media.tar").exists()


def test_what_is_stopped_leaves_no_archive(media: Path, tmp_path: Path) -> None:
    with pytest.raises(Interrupted):
        pack_media(media, tmp_path / "media.tar", is_stopped=lambda: True)
    assert not (tmp_path / "media.tar").exists()


@pytest.mark.parametrize("name", ["../outside", "/etc/outside", "products/../../outside", ".", ""])
def test_a_path_that_leads_out_is_refused_before_anything_is_written(tmp_path: Path, name: str) -> None:
    archive = archive_of(tmp_path, [tarfile.TarInfo("good"), tarfile.TarInfo(name)])
    with pytest.raises(Damaged, match="which leads out of the folder of media or is no file"):
        unpack_media(archive, tmp_path / "media")
    assert not (tmp_path / "media").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["media.tar"]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.DIRTYPE])
def test_what_is_no_file_is_refused(tmp_path: Path, kind: bytes) -> None:
    odd = tarfile.TarInfo("odd")
    odd.type, odd.linkname = kind, "/etc/passwd"
    with pytest.raises(Damaged, match="odd, which leads out"):
        unpack_media(archive_of(tmp_path, [odd]), tmp_path / "media")


def test_a_link_in_the_folder_leads_nobody_out(tmp_path: Path) -> None:
    (tmp_path / "media").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "media" / "products").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Damaged, match="products/tea"):
        unpack_media(archive_of(tmp_path, [tarfile.TarInfo("products/tea")]), tmp_path / "media")
    assert list((tmp_path / "elsewhere").iterdir()) == []


def archive_of(folder: Path, members: list[tarfile.TarInfo]) -> Path:
    with tarfile.open(folder / "media.tar", "w") as archive:
        for member in members:
            archive.addfile(member)
    return folder / "media.tar"


@pytest.mark.parametrize(
    ("break_it", "sentence"),
    [
        (lambda data: data[:700], "can't be read|holds 1 files instead of 4"),
        (lambda data: data[:-11_000], "can't be read|instead of 4"),
        (lambda data: b"", "can't be read"),
        (lambda data: flipped(data, data.index(b"empty.txt") + 200), "can't be read: bad checksum"),
        # The header of the last file: tarfile takes it for the end.
        (lambda data: flipped(data, data.rindex(b"ustar") - 100), r"holds \d files instead of 4|read: bad"),
    ],
)
def test_a_damaged_archive_says_so(media: Path, tmp_path: Path, break_it, sentence: str) -> None:
    archive = tmp_path / "media.tar"
    pack_media(media, archive)
    archive.write_bytes(break_it(archive.read_bytes()))
    with pytest.raises(Damaged, match=sentence):
        unpack_media(archive, tmp_path / "again", expected=4)
    assert not (tmp_path / "again").exists()


def flipped(data: bytes, position: int) -> bytes:
    return data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :]


@pytest.mark.as_root
def test_a_full_disk_says_so_and_leaves_no_half_file(media: Path, tmp_path: Path) -> None:
    (media / "film").write_bytes(bytes(3 * 1024**2))
    with small_disk(tmp_path / "disk", megabytes=2) as disk:
        with pytest.raises(DiskIsFull, match=r"The disk that holds .+/disk is full"):
            pack_media(media, disk / "media.tar")
        assert list(disk.iterdir()) == []

        pack_media(media, tmp_path / "media.tar")
        with pytest.raises(DiskIsFull, match=r"The disk that holds .+/disk/media is full"):
            unpack_media(tmp_path / "media.tar", disk / "media")
        assert "film" not in read(disk / "media")
        assert not [name for name in read(disk / "media") if "unpacking" in name]


@pytest.mark.as_root
def test_a_folder_that_can_not_be_written_to_says_so(media: Path, tmp_path: Path) -> None:
    pack_media(media, tmp_path / "media.tar")
    with small_disk(tmp_path / "disk", megabytes=1, options=",ro") as disk:
        for attempt in (
            lambda: pack_media(media, disk / "media.tar"),
            lambda: unpack_media(tmp_path / "media.tar", disk / "media"),
        ):
            with pytest.raises(NotWritable, match=r"can't be written to \(Read-only file system\)"):
                attempt()
