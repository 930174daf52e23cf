"""Places that can't be reached, let nobody in, or are named wrongly: a sentence, and no secret in it."""

import os
import subprocess
from pathlib import Path

import pytest
from django.test import override_settings

from backups.engine.place import open_place, places_of_the_shop
from backups.engine.places import fetch, forget, listing, send
from backups.engine.repository import Repository
from backups.errors import DiskIsFull, PlaceFailed
from tests.backups.copying import KEYS, PIECE, PIECES, make_backup
from tests.backups.sftp import PASSWORD, SftpServer, sftp_url


@pytest.mark.as_root
def test_a_full_disk_says_so_and_what_was_there_stays(
    repository: Repository, elsewhere: Repository, tmp_path: Path
) -> None:
    folder = tmp_path / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], check=True)
    try:
        place = open_place(f"file://{folder}")
        first, large = make_backup(repository), make_backup(repository, {"dump/toc": os.urandom(3_000_000)})
        send(first, place, keys=KEYS, size=PIECE)
        with pytest.raises(DiskIsFull, match=rf"^The disk that holds file://{folder} is full\. Make room on it"):
            send(large, place, keys=KEYS, size=PIECE)
        found = listing(place, keys=KEYS)
        assert ([copy.id for copy in found.copies], found.unfinished) == ([first.id], [large.id])
        assert list(folder.rglob("*.part")) == []
        forget(place, large.id)
        fetch(place, first.id, elsewhere, keys=KEYS)
    finally:
        subprocess.run(["umount", folder], check=True)


@pytest.mark.as_root
def test_a_disk_that_can_only_be_read_says_so(repository: Repository, tmp_path: Path) -> None:
    folder = tmp_path / "locked"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", folder], check=True)
    try:
        with pytest.raises(PlaceFailed, match=rf"^The place file://{folder}: .*Read-only file system"):
            send(make_backup(repository), open_place(f"file://{folder}"), keys=KEYS)
    finally:
        subprocess.run(["umount", folder], check=True)


def test_a_disk_that_is_not_mounted_is_not_made_up_for(repository: Repository, tmp_path: Path) -> None:
    place = open_place(f"file://{tmp_path}/usb")
    with pytest.raises(PlaceFailed, match=r"/usb: The folder is not there: mount its disk, or make it\.$"):
        send(make_backup(repository), place, keys=KEYS)
    assert not (tmp_path / "usb").exists()


def test_a_store_that_is_not_there_says_so_and_keeps_its_secret(repository: Repository, store_url: str) -> None:
    stored = make_backup(repository)
    for url, word in (
        (store_url.replace("shop-backups", "no-such-bucket"), "FileNotFoundError"),
        ("s3://bucket?endpoint=http://127.0.0.1:9&key=us&secret=hunter2", "127.0.0.1:9"),
    ):
        place = open_place(url)
        with pytest.raises(PlaceFailed) as caught:
            send(stored, place, keys=KEYS)
        assert word in str(caught.value)
        assert "hunter2" not in f"{caught.value} {place.name} {place.address!r}"
        with pytest.raises(PlaceFailed):
            listing(place, keys=KEYS)


def test_an_sftp_server_that_does_not_let_us_in_says_so_and_keeps_the_password(
    repository: Repository, sftp: SftpServer
) -> None:
    place = open_place(sftp_url(sftp, password="hunter2"))
    with pytest.raises(PlaceFailed, match=r"Authentication failed\.") as caught:
        send(make_backup(repository), place, keys=KEYS)
    assert "hunter2" not in f"{caught.value} {place.name} {place.address!r}"
    assert PASSWORD not in open_place(sftp_url(sftp)).name


@pytest.mark.parametrize("host_key", ["", "SHA256:8b3o1rW0nGYyGN7Kk1p9i1pX1j6rNQXBTSN3q7Yd0aM"])
def test_an_sftp_server_that_is_not_known_gets_no_password(
    repository: Repository, sftp: SftpServer, host_key: str
) -> None:
    with pytest.raises(PlaceFailed) as caught:
        send(make_backup(repository), open_place(sftp_url(sftp, host_key=host_key)), keys=KEYS)
    assert f"If it is the right one, add host_key={sftp.key.fingerprint} to its address" in str(caught.value)


def test_an_sftp_server_of_the_known_hosts_is_believed(
    repository: Repository, sftp: SftpServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".ssh").mkdir()
    line = f"[127.0.0.1]:{sftp.port} {sftp.key.get_name()} {sftp.key.get_base64()}\n"
    (tmp_path / ".ssh" / "known_hosts").write_text(line)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert send(make_backup(repository), open_place(sftp_url(sftp, host_key="")), keys=KEYS, size=PIECE) == PIECES


def test_a_connection_that_is_cut_ends_in_a_sentence_and_the_next_attempt_goes_on(
    repository: Repository, elsewhere: Repository, sftp: SftpServer
) -> None:
    stored, place = make_backup(repository), open_place(sftp_url(sftp))
    asked = 0

    def cut_at_the_fourth() -> bool:
        nonlocal asked
        asked += 1
        if asked == 4:
            sftp.cut()
        return False

    with pytest.raises(PlaceFailed):
        send(stored, place, keys=KEYS, size=PIECE, is_stopped=cut_at_the_fourth)
    assert listing(place, keys=KEYS).unfinished == [stored.id]
    assert send(stored, place, keys=KEYS, size=PIECE) == PIECES - 3
    fetch(place, stored.id, elsewhere, keys=KEYS)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("ftp://user:hunter2@host/folder", "The place ftp://host/folder: Name a folder (file:///…), a store"),
        ("/mnt/usb", "Name a folder (file:///…), a store (s3://…) or a server (sftp://…) in BACKUP_PLACES."),
        ("sftp://user:hunter2@host:port/folder", "This is no address in BACKUP_PLACES that can be read."),
        ("s3://bucket?endpiont=http://x&secret=hunter2", "The place s3://bucket: It can't be told endpiont."),
    ],
)
def test_an_address_that_is_none_says_so_without_its_password(url: str, sentence: str) -> None:
    with pytest.raises(PlaceFailed) as caught:
        open_place(url)
    assert sentence in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("url", ["file://mnt/usb", "file://"])
def test_a_folder_is_named_from_the_root_on(url: str) -> None:
    with pytest.raises(PlaceFailed, match="with three slashes"):
        listing(open_place(url), keys=KEYS)


def test_the_places_of_the_shop_are_those_of_the_settings() -> None:
    with override_settings(
        BACKUP_PLACES=["file:///mnt/usb", "s3://us:hunter2@Shop/a?endpoint=https://s3.example:9000"]
    ):
        places = places_of_the_shop()
    assert [place.name for place in places] == ["file:///mnt/usb", "s3://s3.example:9000/Shop/a"]
    assert [place.address.password for place in places] == ["", "hunter2"]
