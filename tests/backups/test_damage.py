"""A hundred random damages to a backup and its WAL: each is noticed, and nothing is found in what is whole."""

import os
import random
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from backups.engine.physical import verify_physical
from backups.engine.repository import Repository
from backups.engine.wal_check import check_wal
from backups.engine.wal_memory import path_of
from backups.engine.wal_pages import IS_REMOVABLE, PAGE
from tests.backups import archive
from tests.backups.archive import Made, replace
from tests.backups.cluster import Cluster

pytestmark = pytest.mark.slow

ROUNDS, IN_THE_BACKUP, IN_THE_WAL = 20, 3, 2
# Where a page's header says whether an archive that compresses may leave something out: either is right, so that only
# the digest of a segment that was checked before can tell.
UNTOLD = (2, IS_REMOVABLE)

ANYTHING = re.compile(rb"[^\0]")


@dataclass
class Damager:
    """Damages files of a copy, and puts them right again from the original."""

    original: Path
    copy: Path
    chance: random.Random

    def flip(self, path: Path) -> list[Path]:
        data = bytearray(path.read_bytes())
        offset, bit = self.chance.randrange(len(data)), 1 << self.chance.randrange(8)
        if (offset % PAGE, bit) == UNTOLD:
            offset += 1
        data[offset] ^= bit
        replace(path, bytes(data))
        return [path]

    def truncate(self, path: Path) -> list[Path]:
        data = path.read_bytes()
        replace(path, data[: self.chance.randrange(len(data))])
        return [path]

    def delete(self, path: Path) -> list[Path]:
        path.unlink()
        return [path]

    def zero(self, path: Path) -> list[Path]:
        """From a byte on that is none yet, for a while or to the end."""
        data = path.read_bytes()
        something = ANYTHING.search(data, self.chance.randrange(len(data))) or ANYTHING.search(data)
        if something is None:
            return self.flip(path)
        start = something.start()
        length = min(self.chance.choice([1, 512, PAGE, len(data)]), len(data) - start)
        replace(path, data[:start] + bytes(length) + data[start + length :])
        return [path]

    def swap(self, path: Path) -> list[Path]:
        others = [one for one in self.files(path.parent) if one != path and one.read_bytes() != path.read_bytes()]
        if not others:
            return self.flip(path)
        other = self.chance.choice(others)
        mine, its = path.read_bytes(), other.read_bytes()
        replace(path, its)
        replace(other, mine)
        return [path, other]

    def files(self, folder: Path) -> list[Path]:
        """Those that hold something."""
        return sorted(path for path in folder.iterdir() if is_for_this_test(path))

    def put_right(self, paths: list[Path]) -> None:
        for path in paths:
            path.unlink(missing_ok=True)
            os.link(self.original / path.relative_to(self.copy), path)


def is_for_this_test(path: Path) -> bool:
    """Whether it holds something. Without the manifest nothing else can be named: its damages have a test of their
    own."""
    return path.is_file() and path.stat().st_size > 0 and path.name != "backup_manifest"


@pytest.fixture(scope="module")
def made(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Made:
    made = archive.make_archive(cluster, tmp_path_factory.mktemp("made") / "backups")
    # What was received before the backup began is not needed, and not looked at.
    for path in (made.root / "wal").iterdir():
        if path.name < made.backup.manifest.start_wal:
            path.unlink()
    return made


@pytest.mark.parametrize("is_known", [False, True], ids=["never checked before", "checked before"])
def test_a_hundred_random_damages_are_all_noticed(made: Made, tmp_path: Path, *, is_known: bool) -> None:
    """Half of them in an archive that was never checked before: its structure alone tells. There, that the newest
    segment ends a little earlier can't be known, so it stays as it is."""
    shutil.copytree(made.root, tmp_path / "backups", copy_function=os.link)
    repository = Repository(tmp_path / "backups")
    backup = repository.get(made.backup.id)
    chance = random.Random(f"{is_known}")
    damager = Damager(made.root, repository.root, chance)
    ways: list[Callable[[Path], list[Path]]] = [
        damager.flip,
        damager.flip,
        damager.truncate,
        damager.delete,
        damager.zero,
        damager.swap,
    ]

    def forget() -> None:
        if not is_known:
            path_of(repository).unlink()

    assert verify_physical(backup) == []
    assert check_wal(repository).findings == ()
    forget()

    damages = 0
    for number in range(ROUNDS // 2):
        hurt: list[list[Path]] = []
        for count, candidates in (
            (IN_THE_BACKUP, sorted(path for path in backup.data.rglob("*") if is_for_this_test(path))),
            (IN_THE_WAL, [path for path in damager.files(repository.wal) if is_known or path.suffix != ".partial"]),
        ):
            for path in chance.sample(candidates, count):
                if path.exists() and not any(path in paths for paths in hurt):
                    hurt.append(chance.choice(ways)(path))
        damages += len(hurt)

        words = "\n".join(verify_physical(backup))
        named = {finding.segment for finding in check_wal(repository).findings}
        for path in (path for paths in hurt for path in paths):
            if path.is_relative_to(backup.data):
                assert str(path.relative_to(backup.data)) in words, (number, path)
            else:
                assert path.name.removesuffix(".partial") in named, (number, path)
        damager.put_right([path for paths in hurt for path in paths])
        forget()

    assert damages >= ROUNDS // 2 * (IN_THE_BACKUP + IN_THE_WAL) - 3
    assert verify_physical(backup) == []
    assert check_wal(repository).findings == ()
