"""Retention: what is kept, and what is never deleted."""

import datetime
import io
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backups.engine.manifest import Kind, Manifest, State
from backups.engine.place import open_place
from backups.engine.place_wal import wal_in
from backups.engine.places import listing, send, send_missing
from backups.engine.repository import Repository, Stored
from backups.engine.retention import FRESH, plan, prune, prune_place
from backups.engine.sealing import Key, seal
from backups.errors import Interrupted
from tests.backups.copying import make_backup

# A Saturday.
NOW = datetime.datetime(2026, 11, 21, 22, 0, tzinfo=datetime.UTC)
DAY = datetime.timedelta(days=1)
KEYS = [Key(b"k" * 32)]
SIZE = 1024 * 1024


def backup(
    number: int,
    *,
    days_ago: float,
    kind: Kind = Kind.LOGICAL,
    base: Stored | None = None,
    damage: str = "",
    proved: bool = False,
    kept: bool = False,
) -> Stored:
    began = NOW - days_ago * DAY
    manifest = Manifest(
        id=f"{number:04d}",
        kind=kind,
        started_at=began,
        completed_at=began + datetime.timedelta(minutes=1),
        server_version=180006,
        system_identifier="7",
        database="shop",
        size=1,
        base_id=base.id if base else "",
    )
    state = State(damage=[damage] if damage else [], proved_at=NOW if proved else None, is_kept=kept)
    return Stored(Path("/nowhere"), manifest, state)


def a_year(kind: Kind = Kind.LOGICAL) -> list[Stored]:
    """One backup every day; `days_ago` stands in its id."""
    return [backup(days_ago, days_ago=days_ago, kind=kind) for days_ago in range(365)]


def days_kept(backups: list[Stored], **numbers: int | None) -> list[int]:
    """How many days ago those were made that stay."""
    deleted = {one.id for one in plan(backups, at=NOW, **numbers)}  # type: ignore[arg-type]
    return sorted(int(one.id) for one in backups if one.id not in deleted)


# --- days, weeks, months -----------------------------------------------------------------------------


def test_of_a_year_the_last_days_weeks_and_months_stay() -> None:
    # 0 to 6: the days. 6 (15 Nov), 13, 20: the Sundays that end weeks. 21 (31 Oct), 52 (30 Sep), … : ends of months.
    assert days_kept(a_year()) == [0, 1, 2, 3, 4, 5, 6, 13, 20, 21, 52, 82, 113, 144]


def test_each_number_counts_for_itself() -> None:
    assert days_kept(a_year(), daily=3, weekly=0, monthly=0) == [0, 1, 2]
    assert days_kept(a_year(), daily=0, weekly=2, monthly=0) == [0, 6]
    assert days_kept(a_year(), daily=0, weekly=0, monthly=3) == [0, 21, 52]
    assert days_kept(a_year(), daily=0, weekly=0, monthly=0) == [0]


def test_days_without_a_backup_do_not_count() -> None:
    sparse = [one for one in a_year() if int(one.id) % 10 == 5]
    assert days_kept(sparse, daily=3, weekly=0, monthly=0) == [5, 15, 25]


def test_of_a_day_the_newest_stays() -> None:
    morning, noon, evening = (backup(number, days_ago=3.3 - number / 10) for number in range(3))
    newest = backup(9, days_ago=1)
    assert [one.id for one in plan([evening, newest, morning, noon], at=NOW)] == [noon.id, morning.id]


def test_a_day_is_the_shops_own() -> None:
    # 20:00 and 22:30 in Greenwich: 3:00 and 5:30 of the same day in Bangkok, 23:00 and 1:30 of two in Moscow.
    first = backup(1, days_ago=3 + 2 / 24)
    second = backup(2, days_ago=3 - 0.5 / 24)
    newest = backup(3, days_ago=0)
    for name, deleted in (("Asia/Bangkok", [first.id]), ("Europe/Moscow", []), ("UTC", [first.id])):
        zone = ZoneInfo(name)
        assert [one.id for one in plan([first, second, newest], at=NOW, time_zone=zone)] == deleted


def test_each_kind_has_days_of_its_own() -> None:
    logical, physical = a_year(), a_year(Kind.PHYSICAL)
    physical = [replace(one, manifest=replace(one.manifest, id=f"p{one.id}")) for one in physical]
    deleted = {one.id for one in plan([*logical, *physical], at=NOW)}
    assert {one.id for one in logical} & deleted == {one.id.removeprefix("p") for one in physical if one.id in deleted}


def test_a_number_below_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="less than none"):
        plan([], at=NOW, weekly=-1)


# --- what is never deleted ---------------------------------------------------------------------------


def test_the_last_proved_one_stays_however_old_it_is() -> None:
    backups = [backup(one, days_ago=one, proved=one in (200, 300)) for one in range(365)]
    assert days_kept(backups, daily=1, weekly=0, monthly=0) == [0, 200]


def test_if_the_last_proved_one_is_damaged_the_one_before_it_stays_too() -> None:
    backups = [
        backup(one, days_ago=one, proved=one in (200, 300), damage="toc.dat" if one == 200 else "")
        for one in range(365)
    ]
    assert days_kept(backups, daily=1, weekly=0, monthly=0) == [0, 200, 300]


def test_what_somebody_keeps_stays() -> None:
    backups = [backup(one, days_ago=one, kept=one == 360) for one in range(365)]
    assert days_kept(backups, daily=1, weekly=0, monthly=0) == [0, 360]


def test_what_is_younger_than_a_day_stays() -> None:
    backups = [backup(one, days_ago=one / 10) for one in range(20)]
    assert days_kept(backups, daily=0, weekly=0, monthly=0) == [*range(10)]


def test_where_the_newest_is_damaged_the_newest_whole_one_stays_too() -> None:
    backups = [backup(one, days_ago=one, damage="toc.dat is missing" if one < 3 else "") for one in range(30)]
    assert days_kept(backups, daily=0, weekly=0, monthly=0) == [0, 3]


def test_of_a_day_a_whole_one_stays_rather_than_a_damaged_newer_one() -> None:
    whole, damaged = backup(1, days_ago=5.5), backup(2, days_ago=5.4, damage="toc.dat is missing")
    assert [one.id for one in plan([whole, damaged, backup(3, days_ago=1)], at=NOW)] == [damaged.id]


def test_an_incremental_backup_keeps_all_that_it_builds_upon() -> None:
    full = backup(1, days_ago=100, kind=Kind.PHYSICAL)
    middle = backup(2, days_ago=99, kind=Kind.PHYSICAL, base=full)
    other = backup(3, days_ago=98, kind=Kind.PHYSICAL, base=full)
    newest = backup(4, days_ago=1, kind=Kind.PHYSICAL, base=middle)
    deleted = plan([full, middle, other, newest], at=NOW, daily=1, weekly=0, monthly=0)
    assert [one.id for one in deleted] == [other.id]


def test_one_whose_base_is_damaged_or_gone_is_not_the_newest_whole_one() -> None:
    full = backup(1, days_ago=9, kind=Kind.PHYSICAL)
    damaged = backup(2, days_ago=8, kind=Kind.PHYSICAL, damage="base/5/1259 was changed")
    upon_damaged = backup(3, days_ago=7, kind=Kind.PHYSICAL, base=damaged)
    upon_nothing = backup(4, days_ago=6, kind=Kind.PHYSICAL, base=backup(99, days_ago=7))
    deleted = plan([full, damaged, upon_damaged, upon_nothing], at=NOW, daily=0, weekly=0, monthly=0)
    assert [one.id for one in deleted] == [upon_damaged.id, damaged.id]


def test_with_a_limit_for_the_wal_the_physical_ones_reach_so_far_back_and_no_further() -> None:
    assert days_kept(a_year(Kind.PHYSICAL), wal_days=10) == [0, 1, 2, 3, 4, 5, 6, 11]
    assert days_kept(a_year(Kind.LOGICAL), wal_days=10) == days_kept(a_year(Kind.LOGICAL))


@st.composite
def any_backups(draw: st.DrawFn) -> list[Stored]:
    made: list[Stored] = []
    for number in range(draw(st.integers(0, 25))):
        kind = draw(st.sampled_from(Kind))
        days_ago = draw(st.integers(0, 1000)) / 4
        older = [one for one in made if one.manifest.kind == kind and one.manifest.started_at < NOW - days_ago * DAY]
        base = draw(st.sampled_from([None, *older])) if kind == Kind.PHYSICAL else None
        made.append(
            backup(
                number,
                days_ago=days_ago,
                kind=kind,
                base=base,
                damage=draw(st.sampled_from(["", "", "", "damaged"])),
                proved=draw(st.booleans()),
                kept=draw(st.integers(0, 9)) == 0,
            )
        )
    return draw(st.permutations(made))


numbers = st.fixed_dictionaries(
    {
        "daily": st.integers(0, 8),
        "weekly": st.integers(0, 5),
        "monthly": st.integers(0, 7),
        "wal_days": st.none() | st.integers(0, 100),
    }
)


@given(any_backups(), numbers)
def test_whatever_the_numbers_say_what_is_needed_stays(backups: list[Stored], given_numbers: dict[str, int]) -> None:
    deleted = plan(backups, at=NOW, **given_numbers)  # type: ignore[arg-type]
    gone = {one.id for one in deleted}
    stay = [one for one in backups if one.id not in gone]
    ids = {one.id for one in stay}
    assert len(gone) == len(deleted)
    # No incremental one loses its base, at no moment of the deleting.
    for place, one in enumerate(deleted):
        left = [other for other in backups if other.id not in {before.id for before in deleted[: place + 1]}]
        assert one.id not in {other.manifest.base_id for other in left}
    for one in backups:
        if one.state.is_kept or one.manifest.started_at > NOW - FRESH:
            assert one.id in ids
    for kind in Kind:
        own = sorted(
            (one for one in backups if one.manifest.kind == kind), key=lambda one: (one.manifest.started_at, one.id)
        )
        proved = [one for one in own if one.state.proved_at]
        assert {one.id for one in (*own[-1:], *proved[-1:])} <= ids
    # What is done is done: the next time nothing more goes.
    assert plan(stay, at=NOW, **given_numbers) == []  # type: ignore[arg-type]


@given(any_backups(), numbers, st.sampled_from(["daily", "weekly", "monthly"]))
def test_a_greater_number_never_keeps_less(backups: list[Stored], given_numbers: dict[str, int], name: str) -> None:
    more = {**given_numbers, name: given_numbers[name] + 1}
    deleted = {one.id for one in plan(backups, at=NOW, **given_numbers)}  # type: ignore[arg-type]
    assert {one.id for one in plan(backups, at=NOW, **more)} <= deleted  # type: ignore[arg-type]


@given(any_backups(), st.integers(1, 8))
def test_of_each_of_the_last_days_one_stays(backups: list[Stored], daily: int) -> None:
    gone = {one.id for one in plan(backups, at=NOW, daily=daily, weekly=0, monthly=0)}
    for kind in Kind:
        own = [one for one in backups if one.manifest.kind == kind]
        days = sorted({one.manifest.started_at.date() for one in own})[-daily:]
        assert set(days) <= {one.manifest.started_at.date() for one in own if one.id not in gone}


# --- deleting ----------------------------------------------------------------------------------------


def physical(repository: Repository, days_ago: int, start: int, **values: object) -> Stored:
    began = NOW - days_ago * DAY
    return make_backup(
        repository,
        {"data/PG_VERSION": b"18\n"},
        started_at=began,
        completed_at=began,
        segment_size=SIZE,
        start_wal=segment(start),
        **values,
    )


def segment(number: int) -> str:
    return f"00000001{0:08X}{number:08X}"


def write_wal(repository: Repository, numbers: range) -> None:
    for number in numbers:
        (repository.wal / segment(number)).write_bytes(bytes(100))


def names_of(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_old_backups_go_and_the_wal_before_the_oldest_that_stays(repository: Repository) -> None:
    old, kept, new = (physical(repository, days_ago, start) for days_ago, start in ((50, 3), (30, 5), (0, 9)))
    write_wal(repository, range(1, 12))
    (repository.wal / "00000002.history").write_text("1\t0/5000000\tno recovery target specified\n")
    done = prune(repository, at=NOW, daily=2, weekly=0, monthly=0)
    assert (done.backups, done.size, done.held_back) == ([old.id], 3, "")
    assert done.segments == [segment(number) for number in range(1, 5)]
    assert [one.id for one in repository.backups()] == [kept.id, new.id]
    assert names_of(repository.wal) == sorted([*(segment(number) for number in range(5, 12)), "00000002.history"])
    assert prune(repository, at=NOW, daily=2, weekly=0, monthly=0).backups == []


def test_without_a_physical_backup_all_wal_stays(repository: Repository) -> None:
    write_wal(repository, range(1, 4))
    make_backup(repository, kind=Kind.LOGICAL)
    assert prune(repository, at=NOW).segments == []
    assert len(names_of(repository.wal)) == 3


def test_what_an_unreadable_backup_may_build_upon_stays(repository: Repository) -> None:
    old, broken, _new = (physical(repository, days_ago, days_ago) for days_ago in (50, 30, 0))
    dump, newer = (
        make_backup(repository, kind=Kind.LOGICAL, started_at=NOW - days * DAY, completed_at=NOW) for days in (50, 0)
    )
    write_wal(repository, range(1, 4))
    (broken.folder / "manifest.json").write_text("{")
    done = prune(repository, at=NOW, daily=1, weekly=0, monthly=0)
    assert (done.backups, done.segments) == ([dump.id], [])
    assert done.held_back == (
        f"No physical backup and no WAL was deleted, because the manifest of {broken.folder} can't be read: it may "
        "build upon them. Delete or replace that one."
    )
    assert {old.id, newer.id} < {one.id for one in repository.backups()}


def test_deleting_that_is_stopped_leaves_whole_backups_and_goes_on_the_next_time(repository: Repository) -> None:
    for days_ago in (50, 40, 30, 0):
        physical(repository, days_ago, 50 - days_ago)
    asked = iter([False, True])
    with pytest.raises(Interrupted):
        prune(repository, at=NOW, daily=1, weekly=0, monthly=0, is_stopped=lambda: next(asked))
    assert len(repository.backups()) == 3
    assert len(prune(repository, at=NOW, daily=1, weekly=0, monthly=0).backups) == 2


# --- in places ---------------------------------------------------------------------------------------


def put_wal(folder: Path, numbers: range) -> None:
    folder.mkdir(parents=True)
    for number in numbers:
        with (folder / segment(number)).open("wb") as sink:
            seal(io.BytesIO(b"segment"), sink, KEYS[0])


def test_a_place_is_pruned_like_the_folder_of_backups(repository: Repository, tmp_path: Path) -> None:
    old, proved, new = (physical(repository, days_ago, start) for days_ago, start in ((50, 3), (30, 5), (0, 9)))
    # Damage of the one here is none of its copy.
    repository.note(proved, State(proved_at=NOW))
    repository.note(new, State(damage=["base/5/1259 was changed"]))
    (tmp_path / "usb").mkdir()
    place = open_place(f"file://{tmp_path}/usb")
    for stored in (old, proved, new):
        send(stored, place, keys=KEYS)
    put_wal(tmp_path / "usb" / "wal" / "7", range(1, 12))
    put_wal(tmp_path / "usb" / "wal" / "8", range(1, 4))

    done = prune_place(place, repository, keys=KEYS, at=NOW, daily=1, weekly=0, monthly=0)
    assert (done.backups, done.segments) == ([old.id], [segment(number) for number in range(1, 5)])
    assert [copy.id for copy in listing(place, keys=KEYS).copies] == [proved.id, new.id]
    assert wal_in(place, "7") == [segment(number) for number in range(5, 12)]
    assert wal_in(place, "8") == [segment(number) for number in range(1, 4)]


def test_broken_off_copies_go_once_nobody_can_go_on_with_them(repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "usb").mkdir()
    place = open_place(f"file://{tmp_path}/usb")
    week = datetime.timedelta(days=8)
    here, elsewhere = physical(repository, 0, 1), physical(repository, 0, 1)
    for stored in (here, elsewhere):
        place.put(f"backups/{stored.id}/000001.{KEYS[0].id}", b"sealed")
    repository.delete(elsewhere)
    assert prune_place(place, repository, keys=KEYS).backups == []
    done = prune_place(place, repository, keys=KEYS, at=datetime.datetime.now(datetime.UTC) + week)
    assert done.backups == [elsewhere.id]
    assert place.folders("backups") == [here.id]


def test_copies_that_can_not_be_read_hold_the_others_back(repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "usb").mkdir()
    place = open_place(f"file://{tmp_path}/usb")
    old, foreign, _new = (physical(repository, days_ago, 9) for days_ago in (50, 30, 0))
    send(foreign, place, keys=[Key(b"o" * 32)])
    send_missing(repository, place, keys=KEYS)
    done = prune_place(place, repository, keys=KEYS, at=NOW, daily=1, weekly=0, monthly=0)
    assert (done.backups, done.segments) == ([], [])
    assert f"because the copy {foreign.id} can't be read" in done.held_back
    assert old.id in place.folders("backups")
