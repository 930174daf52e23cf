"""Copies in other places: sealed, whole or not there, and the same when they come back."""

import multiprocessing
import os
import signal
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import boto3
import pytest
from django.test import override_settings
from moto.server import ThreadedMotoServer

from backups.engine.manifest import Kind
from backups.engine.place import Place, open_place, places_of_the_shop
from backups.engine.places import SENT, check, fetch, forget, listing, send, send_missing
from backups.engine.repository import Repository
from backups.engine.sealing import Key
from backups.errors import BackupFailed, Damaged, DiskIsFull, Interrupted, PlaceFailed, UnknownBackup, WrongKey
from tests.backups.cluster import wait_until
from tests.backups.copying import CONTENT, content_of, make_backup
from tests.backups.sftp import PASSWORD, USER, SftpServer, sftp_server

KEYS = [Key(b"k" * 32)]
OTHER = Key(b"o" * 32)
# Small, so that the little files of these tests make some.
PIECE = 200_000
PIECES = 6


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """The folder of another disk."""
    folder = tmp_path / "usb stick"
    folder.mkdir()
    return folder


@pytest.fixture
def place(outside: Path) -> Place:
    return open_place(f"file://{outside}".replace(" ", "%20"))


@pytest.fixture
def elsewhere(tmp_path: Path) -> Repository:
    """The folder of a new machine, on which nothing is yet."""
    made = Repository(tmp_path / "new machine")
    made.make()
    return made


@pytest.fixture(scope="module")
def store_url() -> Iterator[str]:
    """An S3-compatible store with an empty bucket."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    client = boto3.client(
        "s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="us", aws_secret_access_key="hunter2"
    )
    client.create_bucket(Bucket="shop-backups")
    yield f"s3://shop-backups/samovar?endpoint={endpoint}&region=us-east-1&key=us&secret=hunter2"
    server.stop()


@pytest.fixture
def sftp(tmp_path: Path) -> Iterator[SftpServer]:
    folder = tmp_path / "served"
    folder.mkdir()
    with sftp_server(folder) as server:
        yield server


def sftp_url(server: SftpServer, *, password: str = "p%40ss%2Fword%2C%207", host_key: str | None = None) -> str:
    fingerprint = (server.key.fingerprint if host_key is None else host_key).replace("+", "%2B")
    query = f"?host_key={fingerprint}" if fingerprint else ""
    return f"sftp://{USER}:{password}@127.0.0.1:{server.port}/copies/of the shop{query}"


@pytest.fixture(params=["folder", "memory", "store", "sftp server"])
def any_place(request: pytest.FixtureRequest) -> Place:
    """Each kind of place, empty."""
    match request.param:
        case "folder":
            found: Place = request.getfixturevalue("place")
        case "memory":
            found = open_place(f"memory://{uuid4()}/copies")
        case "store":
            url: str = request.getfixturevalue("store_url")
            found = open_place(url.replace("samovar?", f"samovar/{uuid4()}?"))
        case _:
            found = open_place(sftp_url(request.getfixturevalue("sftp")))
    return found


# --- there and back ----------------------------------------------------------------------------------


def test_a_backup_comes_back_from_every_kind_of_place_as_it_was(
    any_place: Place, repository: Repository, elsewhere: Repository
) -> None:
    stored = make_backup(repository)
    assert send(stored, any_place, keys=KEYS, size=PIECE) == PIECES
    assert [copy.manifest for copy in listing(any_place, keys=KEYS).copies] == [stored.manifest]
    assert check(any_place, stored.id, keys=KEYS) == []

    fetched = fetch(any_place, stored.id, elsewhere, keys=KEYS)
    assert fetched.manifest == stored.manifest
    assert content_of(fetched.folder) == {**CONTENT, "data/pg_notify": None, "data/pg_wal/archive_status": None}
    assert elsewhere.get(stored.id).state.places == {any_place.name: SENT}
    assert list((elsewhere.root / "physical").iterdir()) == [fetched.folder]

    assert send(stored, any_place, keys=KEYS, size=PIECE) == 0
    forget(any_place, stored.id)
    assert listing(any_place, keys=KEYS).copies == []
    assert any_place.folders("backups") == []
    with pytest.raises(UnknownBackup):
        forget(any_place, stored.id)


def test_what_came_back_belongs_to_its_owner_alone_as_postgresql_demands(
    place: Place, repository: Repository, elsewhere: Repository
) -> None:
    stored = make_backup(repository)
    send(stored, place, keys=KEYS)
    folder = fetch(place, stored.id, elsewhere, keys=KEYS).folder
    modes = {stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*") if path.is_dir()}
    assert modes == {0o700}
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*") if path.is_file()} == {0o600}


def test_nothing_readable_leaves(place: Place, outside: Path, repository: Repository) -> None:
    send(make_backup(repository, {"dump/Заказы.dat": b"oolong with milk " * 99}, kind=Kind.LOGICAL), place, keys=KEYS)
    sent = [path for path in outside.rglob("*") if path.is_file()]
    assert sorted(path.name for path in sent) == [f"000001.{KEYS[0].id}", "manifest"]
    for path in sent:
        for word in (b"oolong", "Заказы".encode(), b"manifest", b"shop"):
            assert word not in path.read_bytes()


def test_all_that_is_not_there_yet_is_sent_and_noted_down(place: Place, repository: Repository) -> None:
    first, second, damaged = (make_backup(repository) for _number in range(3))
    repository.note(damaged, replace(damaged.state, damage=["base/5/1259 was changed"]))
    send(first, place, keys=KEYS)
    assert [stored.id for stored in send_missing(repository, place, keys=KEYS)] == [second.id]
    assert [stored.state.places for stored in repository.backups()] == [{place.name: SENT}, {place.name: SENT}, {}]
    assert send_missing(repository, place, keys=KEYS) == []

    forget(place, first.id)
    assert [stored.id for stored in send_missing(repository, place, keys=KEYS)] == [first.id]


def test_what_an_incremental_backup_builds_upon_comes_with_it(
    place: Place, repository: Repository, elsewhere: Repository
) -> None:
    base = make_backup(repository)
    middle = make_backup(repository, base_id=base.id)
    newest = make_backup(repository, base_id=middle.id)
    send_missing(repository, place, keys=KEYS)
    fetch(place, newest.id, elsewhere, keys=KEYS)
    assert [stored.id for stored in elsewhere.backups()] == [base.id, middle.id, newest.id]


def test_a_damaged_backup_is_replaced_by_its_copy_if_one_says_so(place: Place, repository: Repository) -> None:
    stored = repository.note(made := make_backup(repository), replace(made.state, is_kept=True))
    send(stored, place, keys=KEYS)
    (stored.folder / "data/PG_VERSION").write_bytes(b"19\n")
    (stored.folder / "manifest.json").write_text("{")

    with pytest.raises(Damaged):
        fetch(place, stored.id, repository, keys=KEYS)
    fetched = fetch(place, stored.id, repository, keys=KEYS, replaces=True)
    assert (fetched.data / "PG_VERSION").read_bytes() == b"18\n"
    assert [one.id for one in repository.backups()] == [stored.id]
    assert repository.get(stored.id).state.is_kept


def test_one_that_is_here_is_not_fetched_again(place: Place, repository: Repository) -> None:
    stored = make_backup(repository)
    send(stored, place, keys=KEYS)
    (stored.folder / "data/PG_VERSION").write_bytes(b"here")
    fetch(place, stored.id, repository, keys=KEYS)
    assert (stored.data / "PG_VERSION").read_bytes() == b"here"


# --- keys --------------------------------------------------------------------------------------------


def test_a_wrong_key_says_so_and_brings_nothing(place: Place, repository: Repository, elsewhere: Repository) -> None:
    stored = make_backup(repository)
    send(stored, place, keys=KEYS)
    with pytest.raises(WrongKey, match=rf"^It was sealed with the key {KEYS[0].id}, and BACKUP_KEY has only"):
        fetch(place, stored.id, elsewhere, keys=[OTHER])
    found = listing(place, keys=[OTHER])
    assert (found.copies, list(found.unreadable)) == ([], [stored.id])
    assert isinstance(found.unreadable[stored.id], WrongKey)
    assert elsewhere.backups() == []


def test_after_a_change_of_the_key_old_and_new_copies_open(
    place: Place, repository: Repository, elsewhere: Repository
) -> None:
    old, new = make_backup(repository), make_backup(repository)
    send(old, place, keys=KEYS)
    send(new, place, keys=[OTHER, *KEYS])
    for stored in (old, new):
        fetch(place, stored.id, elsewhere, keys=[OTHER, *KEYS])
    assert [stored.id for stored in elsewhere.backups()] == [old.id, new.id]


@override_settings(BACKUP_KEYS=[])
def test_without_a_key_nothing_leaves(place: Place, outside: Path, repository: Repository) -> None:
    with pytest.raises(WrongKey, match="BACKUP_KEY is not set"):
        send(make_backup(repository), place)
    assert list(outside.iterdir()) == []


# --- what is damaged ---------------------------------------------------------------------------------


@pytest.mark.parametrize("harm", ["flipped bit", "cut off", "missing", "swapped", "of another backup"])
def test_a_piece_that_is_not_what_was_sent_is_noticed_and_named(
    place: Place, outside: Path, repository: Repository, elsewhere: Repository, harm: str
) -> None:
    stored, other = make_backup(repository), make_backup(repository)
    for one in (stored, other):
        send(one, place, keys=KEYS, size=PIECE)
    first, second = (outside / "backups" / stored.id / f"00000{number}.{KEYS[0].id}" for number in (1, 2))
    content = second.read_bytes()
    match harm:
        case "flipped bit":
            second.write_bytes(content[:1000] + bytes([content[1000] ^ 4]) + content[1001:])
        case "cut off":
            second.write_bytes(content[:-1])
        case "missing":
            second.unlink()
        case "swapped":
            second.write_bytes(first.read_bytes())
        case _:
            second.write_bytes((outside / "backups" / other.id / second.name).read_bytes())

    [finding] = check(place, stored.id, keys=KEYS)
    assert f"backups/{stored.id}/{second.name}" in finding
    with pytest.raises(Damaged) as caught:
        fetch(place, stored.id, elsewhere, keys=KEYS)
    assert str(caught.value) == finding
    assert list((elsewhere.root / "physical").iterdir()) == []
    assert check(place, other.id, keys=KEYS) == []


def test_a_damaged_manifest_hides_only_its_own_copy(place: Place, outside: Path, repository: Repository) -> None:
    stored, whole = make_backup(repository), make_backup(repository)
    send_missing(repository, place, keys=KEYS)
    (outside / "backups" / stored.id / "manifest").write_bytes(b"SAMOVAR")
    found = listing(place, keys=KEYS)
    assert [copy.id for copy in found.copies] == [whole.id]
    assert isinstance(found.unreadable[stored.id], Damaged)


@pytest.mark.parametrize("name", ["..", "", "../backups", "a/b"])
def test_an_id_leads_nowhere_else(place: Place, elsewhere: Repository, name: str) -> None:
    with pytest.raises(UnknownBackup):
        fetch(place, name, elsewhere, keys=KEYS)
    with pytest.raises(UnknownBackup):
        forget(place, name)


def test_a_link_in_a_backup_is_refused_rather_than_left_out(place: Place, repository: Repository) -> None:
    stored = make_backup(repository)
    (stored.data / "pg_tblspc").symlink_to("/srv/table space")
    with pytest.raises(BackupFailed, match=r"pg_tblspc is no plain file: it can't be copied\.$"):
        send(stored, place, keys=KEYS)
    assert listing(place, keys=KEYS).copies == []


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ({"dump/toc": 2_000_000, "media.tar": 3_000_000}, "it is not as large as it was"),
        ({"media.tar": 5_000_000}, "unexpected end of data"),
    ],
)
def test_a_file_that_changes_under_our_hands_ends_in_no_copy(
    place: Place, repository: Repository, content: dict[str, int], why: str
) -> None:
    stored = make_backup(repository, {name: os.urandom(size) for name, size in content.items()})

    def shrink(_stage: str, _share: float | None) -> None:
        (stored.folder / "media.tar").write_bytes(b"short")

    with pytest.raises(Damaged, match=rf"/media\.tar can't be read: {why}\.$"):
        send(stored, place, keys=KEYS, size=100_000, progress=shrink)
    assert listing(place, keys=KEYS).copies == []


# --- interruptions -----------------------------------------------------------------------------------


def test_sending_goes_on_where_it_was_stopped(place: Place, repository: Repository, elsewhere: Repository) -> None:
    stored, asked, shares = make_backup(repository), iter([False, False, False, True]), []
    with pytest.raises(Interrupted):
        send(stored, place, keys=KEYS, size=PIECE, is_stopped=lambda: next(asked))
    found = listing(place, keys=KEYS)
    assert (found.copies, found.unfinished) == ([], [stored.id])
    with pytest.raises(UnknownBackup):
        fetch(place, stored.id, elsewhere, keys=KEYS)

    sent = send(stored, place, keys=KEYS, size=PIECE, progress=lambda stage, share: shares.append((stage, share)))
    assert sent == PIECES - 3
    assert shares[0] == ("Sending", 0.0)
    assert len(shares) == PIECES
    assert content_of(fetch(place, stored.id, elsewhere, keys=KEYS).folder) == content_of(stored.folder)


def test_what_was_sent_under_a_key_that_is_gone_is_sent_again(
    place: Place, repository: Repository, elsewhere: Repository
) -> None:
    stored, asked = make_backup(repository), iter([False, False, True])
    with pytest.raises(Interrupted):
        send(stored, place, keys=KEYS, size=PIECE, is_stopped=lambda: next(asked))
    assert send(stored, place, keys=[OTHER], size=PIECE) == PIECES
    assert len(place.sizes(f"backups/{stored.id}")) == PIECES + 1
    fetch(place, stored.id, elsewhere, keys=[OTHER])


def test_fetching_that_is_stopped_leaves_nothing(place: Place, repository: Repository, elsewhere: Repository) -> None:
    stored, asked = make_backup(repository), iter([False, False, True])
    send(stored, place, keys=KEYS, size=PIECE)
    with pytest.raises(Interrupted):
        fetch(place, stored.id, elsewhere, keys=KEYS, is_stopped=lambda: next(asked, True))
    assert list((elsewhere.root / "physical").iterdir()) == []


def send_for_ever(root: Path, url: str) -> None:
    repository, place = Repository(root), open_place(url)
    while True:
        for stored in repository.backups():
            send(stored, place, keys=KEYS, size=20_000)
            forget(place, stored.id)


def test_a_process_that_is_killed_leaves_no_copy_that_looks_whole(
    place: Place, outside: Path, repository: Repository, elsewhere: Repository
) -> None:
    stored = make_backup(repository)
    context = multiprocessing.get_context("spawn")
    other = context.Process(target=send_for_ever, args=(repository.root, f"file://{outside}"), daemon=True)
    other.start()
    folder = outside / "backups" / stored.id
    for number in (7, 23, 40):
        wait_until(lambda number=number: len(list(folder.glob("*"))) >= number, seconds=60)
        os.kill(other.pid or 0, signal.SIGSTOP)
        # Stopped, it can be looked at; what is seen is what a kill would leave.
        found = listing(place, keys=KEYS)
        assert found.unreadable == {}
        for copy in found.copies:
            assert check(place, copy.id, keys=KEYS) == []
        os.kill(other.pid or 0, signal.SIGCONT)
    other.kill()
    other.join()
    for copy in listing(place, keys=KEYS).copies:
        assert check(place, copy.id, keys=KEYS) == []
    send(stored, place, keys=KEYS, size=20_000)
    assert content_of(fetch(place, stored.id, elsewhere, keys=KEYS).folder) == content_of(stored.folder)
    assert list(folder.glob("*.part")) == []


# --- places that fail --------------------------------------------------------------------------------


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


def test_a_copy_of_a_newer_samovar_says_so(
    place: Place, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = make_backup(repository)
    monkeypatch.setattr("backups.engine.places.FORMAT", 2)
    send(stored, place, keys=KEYS)
    monkeypatch.undo()
    assert "made by a newer Samovar" in str(listing(place, keys=KEYS).unreadable[stored.id])
