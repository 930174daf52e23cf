"""WAL in other places, and a shop that comes back from there when its machine is gone."""

import os
import shutil
from pathlib import Path

import pytest

from backups.engine.physical import take_physical
from backups.engine.place import Place, open_place
from backups.engine.place_wal import fetch_wal, forget_wal, send_wal, systems_in, wal_in
from backups.engine.places import check, fetch, listing, send_missing
from backups.engine.repository import Repository
from backups.engine.targets import Target
from backups.engine.verifying import verify_physical
from backups.engine.wal_mended import note_mended
from backups.errors import Busy, Damaged, Interrupted, OtherServer, UnknownBackup, WrongKey
from tests.backups.archive import receiving
from tests.backups.cluster import Cluster
from tests.backups.copying import KEYS, OTHER, content, segment, write
from tests.backups.recovering import clock, left_nothing, recover

HISTORY = "00000002.history"


def test_wal_comes_back_as_it_was(any_place: Place, repository: Repository, elsewhere: Repository) -> None:
    write(repository, segment(1), segment(2), segment(3, 2), f"{segment(4, 2)}.partial")
    (repository.wal / HISTORY).write_text("1\t0/300000\tno recovery target specified\n")
    # Where pg_receivewal is to begin is marked so: there is nothing in it.
    (repository.wal / f"{segment(9, 2)}.partial").write_bytes(b"")
    names = [HISTORY, segment(1), segment(2), segment(3, 2), f"{segment(4, 2)}.partial"]
    assert send_wal(repository, any_place, keys=KEYS) == names
    assert (systems_in(any_place), sorted(wal_in(any_place, "7"))) == (["7"], sorted(names))

    assert sorted(fetch_wal(any_place, elsewhere, "7", keys=KEYS)) == sorted(names)
    for name in names:
        assert (elsewhere.wal / name).read_bytes() == (repository.wal / name).read_bytes()
    assert fetch_wal(any_place, elsewhere, "7", keys=KEYS) == []


def test_only_what_is_new_is_sent_and_what_was_partial_is_completed(place: Place, repository: Repository) -> None:
    write(repository, segment(1), f"{segment(2)}.partial")
    send_wal(repository, place, keys=KEYS)
    # The partial one goes each time: it grows.
    assert send_wal(repository, place, keys=KEYS) == [f"{segment(2)}.partial"]
    (repository.wal / f"{segment(2)}.partial").rename(repository.wal / segment(2))
    assert send_wal(repository, place, keys=KEYS) == [segment(2)]
    assert wal_in(place, "7") == [segment(1), segment(2)]
    assert send_wal(repository, place, keys=KEYS) == []


def test_what_was_damaged_here_when_it_was_sent_is_sent_again_once(
    place: Place, repository: Repository, elsewhere: Repository
) -> None:
    write(repository, segment(1), segment(2))
    (repository.wal / segment(2)).write_bytes(content(2)[:-1] + b"!")
    send_wal(repository, place, keys=KEYS)
    write(repository, segment(2))
    note_mended(repository, segment(2))
    assert send_wal(repository, place, keys=KEYS) == [segment(2)]
    fetch_wal(place, elsewhere, "7", keys=KEYS)
    assert (elsewhere.wal / segment(2)).read_bytes() == content(2)
    assert send_wal(repository, place, keys=KEYS) == []


def test_each_place_gets_what_was_mended_when_it_can_be_reached(
    place: Place, repository: Repository, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    other = open_place((tmp_path / "other").as_uri())
    write(repository, segment(1), segment(2))
    for one in (place, other):
        send_wal(repository, one, keys=KEYS)
    note_mended(repository, segment(1))
    # The other one is away today, and on its next day another segment was mended.
    assert send_wal(repository, place, keys=KEYS) == [segment(1)]
    note_mended(repository, segment(2))
    assert send_wal(repository, other, keys=KEYS) == [segment(1), segment(2)]
    assert send_wal(repository, place, keys=KEYS) == [segment(2)]
    assert (send_wal(repository, place, keys=KEYS), send_wal(repository, other, keys=KEYS)) == ([], [])
    # What was mended twice goes twice.
    note_mended(repository, segment(2))
    assert send_wal(repository, place, keys=KEYS) == [segment(2)]


def test_what_was_mended_and_is_deleted_here_is_forgotten_after_a_day(place: Place, repository: Repository) -> None:
    write(repository, segment(1), segment(2))
    send_wal(repository, place, keys=KEYS)
    note_mended(repository, segment(1))
    assert send_wal(repository, place, keys=KEYS) == [segment(1)]
    (repository.wal / segment(1)).unlink()
    notes = repository.root / "wal-mended"
    assert send_wal(repository, place, keys=KEYS) == []
    assert len(list(notes.iterdir())) == 2
    os.utime(notes / segment(1), (0, 0))
    assert send_wal(repository, place, keys=KEYS) == []
    assert list(notes.iterdir()) == []


def test_two_who_send_take_turns(place: Place, repository: Repository) -> None:
    write(repository, segment(1))
    with repository.lock("sending", doing="Sending WAL"), pytest.raises(Interrupted):
        send_wal(repository, place, keys=KEYS, is_stopped=lambda: True)
    assert wal_in(place, "7") == []
    assert send_wal(repository, place, keys=KEYS) == [segment(1)]


def test_empty_pages_cost_next_to_nothing(place: Place, repository: Repository) -> None:
    write(repository, segment(1))
    send_wal(repository, place, keys=KEYS)
    [size] = place.sizes("wal/7").values()
    assert size < 2000 < len(content(1))


def test_of_an_empty_folder_nothing_is_sent(place: Place, repository: Repository) -> None:
    assert send_wal(repository, place, keys=KEYS) == []
    assert systems_in(place) == []


def test_the_wal_of_two_clusters_is_not_mixed(place: Place, repository: Repository, elsewhere: Repository) -> None:
    write(repository, segment(1))
    send_wal(repository, place, keys=KEYS)
    write(elsewhere, segment(1), system=8)
    send_wal(elsewhere, place, keys=KEYS)
    assert systems_in(place) == ["7", "8"]
    with pytest.raises(OtherServer):
        fetch_wal(place, elsewhere, "7", keys=KEYS)
    assert (elsewhere.wal / segment(1)).read_bytes() == content(1, system=8)
    with pytest.raises(UnknownBackup):
        wal_in(place, "../backups")


def test_a_damaged_segment_is_named_and_the_others_come(
    place: Place, outside: Path, repository: Repository, elsewhere: Repository
) -> None:
    write(repository, *(segment(number) for number in range(1, 6)))
    send_wal(repository, place, keys=KEYS)
    folder = outside / "wal" / "7"
    sealed = (folder / segment(2)).read_bytes()
    (folder / segment(2)).write_bytes(sealed[:-20] + bytes([sealed[-20] ^ 1]) + sealed[-19:])
    # Whole, but another one's.
    shutil.copy(folder / segment(3), folder / segment(4))
    with pytest.raises(Damaged) as caught:
        fetch_wal(place, elsewhere, "7", keys=KEYS)
    first, second = caught.value.findings
    assert first.startswith(f"wal/7/{segment(2)} in {place.name} is damaged: It is not what was sealed")
    assert second.startswith(f"wal/7/{segment(4)} in {place.name} is damaged: It is not what was sealed")
    assert sorted(path.name for path in elsewhere.wal.iterdir()) == [segment(1), segment(3), segment(5)]


def test_a_wrong_key_says_so_and_writes_nothing(place: Place, repository: Repository, elsewhere: Repository) -> None:
    write(repository, segment(1))
    send_wal(repository, place, keys=KEYS)
    with pytest.raises(WrongKey):
        fetch_wal(place, elsewhere, "7", keys=[OTHER])
    assert list(elsewhere.wal.iterdir()) == []


def test_from_a_segment_on_the_older_ones_stay_away_and_are_forgotten(
    place: Place, repository: Repository, elsewhere: Repository
) -> None:
    write(repository, *(segment(number) for number in range(1, 4)), segment(3, 2), segment(4, 2))
    (repository.wal / HISTORY).write_text("1\t0/300000\tno recovery target specified\n")
    send_wal(repository, place, keys=KEYS)
    fetched = fetch_wal(place, elsewhere, "7", since=segment(3), keys=KEYS)
    assert sorted(fetched) == sorted([HISTORY, segment(3), segment(3, 2), segment(4, 2)])
    assert forget_wal(place, "7", segment(3)) == [segment(1), segment(2)]
    assert sorted(wal_in(place, "7")) == sorted([HISTORY, segment(3), segment(3, 2), segment(4, 2)])


def test_it_goes_on_where_it_was_stopped(place: Place, repository: Repository, elsewhere: Repository) -> None:
    write(repository, *(segment(number) for number in range(1, 5)))
    asked = iter([False, False, True])
    with pytest.raises(Interrupted):
        send_wal(repository, place, keys=KEYS, is_stopped=lambda: next(asked))
    assert send_wal(repository, place, keys=KEYS) == [segment(3), segment(4)]
    asked = iter([False, True])
    with pytest.raises(Interrupted):
        fetch_wal(place, elsewhere, "7", keys=KEYS, is_stopped=lambda: next(asked))
    assert fetch_wal(place, elsewhere, "7", keys=KEYS) == [segment(2), segment(3), segment(4)]


def test_while_wal_is_received_none_is_fetched(place: Place, repository: Repository) -> None:
    with (
        repository.lock("wal", doing="The receiver of WAL"),
        pytest.raises(Busy, match=r"^The receiver of WAL is under way\."),
    ):
        fetch_wal(place, repository, "7", keys=KEYS)


def test_a_shop_whose_machine_is_gone_is_recovered_to_the_moment_from_its_copies(
    cluster: Cluster, place: Place, repository: Repository, elsewhere: Repository
) -> None:
    with receiving(repository, cluster):
        cluster.sql("DROP TABLE IF EXISTS sales; CREATE TABLE sales (id int PRIMARY KEY, what text NOT NULL)")
        full = take_physical(repository, cluster.server)
        cluster.sql("INSERT INTO sales VALUES (1, 'Чай 🧋')")
        cluster.switch_wal()
        cluster.sql("INSERT INTO sales VALUES (2, 'Ещё чай')")
        moment = clock(cluster)
        cluster.sql("DELETE FROM sales")
    send_missing(repository, place, keys=KEYS)
    send_wal(repository, place, keys=KEYS)
    cluster.sql("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots")
    shutil.rmtree(repository.root)

    [copy] = listing(place, keys=KEYS).copies
    assert check(place, copy.id, keys=KEYS) == []
    fetched = fetch(place, copy.id, elsewhere, keys=KEYS)
    assert fetched.manifest == full.manifest
    assert verify_physical(fetched) == []
    fetch_wal(place, elsewhere, copy.manifest.system_identifier, since=copy.manifest.start_wal, keys=KEYS)
    with left_nothing(cluster), recover(elsewhere, cluster, Target(time=moment)) as beside:
        assert beside.server.ask("SELECT * FROM sales ORDER BY id") == [(1, "Чай 🧋"), (2, "Ещё чай")]
