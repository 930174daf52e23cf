"""Backups without a database, for the tests of what only moves their files."""

import datetime
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from backups.engine.manifest import Kind, Manifest
from backups.engine.repository import Repository, Stored
from backups.engine.sealing import Key
from backups.engine.wal_pages import IS_LONG, LONG_HEADER

KEYS = [Key(b"k" * 32)]
OTHER = Key(b"o" * 32)
# Small, so that the little files of these tests make some.
PIECE = 200_000
PIECES = 6
MOMENT = datetime.datetime(2026, 11, 1, 12, 30, tzinfo=datetime.UTC)
CONTENT: dict[str, bytes] = {
    "data/PG_VERSION": b"18\n",
    "data/base/5/1259": bytes(300_000) + os.urandom(50_000),
    "data/base/5/1260": b"",
    "data/Чай с молоком 🧋": b"oolong",
    "media.tar": os.urandom(700_000),
}
EMPTY_FOLDERS = ("data/pg_wal/archive_status", "data/pg_notify")


def make_backup(
    repository: Repository, content: Mapping[str, bytes] = CONTENT, *, kind: Kind = Kind.PHYSICAL, **values: Any
) -> Stored:
    """A complete backup of these files, and of empty folders, as a cluster has them."""
    backup_id, partial = repository.begin(kind)
    for name, data in content.items():
        (partial / name).parent.mkdir(parents=True, exist_ok=True)
        (partial / name).write_bytes(data)
    for name in EMPTY_FOLDERS:
        (partial / name).mkdir(parents=True, exist_ok=True)
    manifest = Manifest(
        **{
            "id": backup_id,
            "kind": kind,
            "started_at": MOMENT,
            "completed_at": MOMENT,
            "server_version": 180006,
            "system_identifier": "7",
            "database": "shop",
            "size": sum(map(len, content.values())),
            **values,
        }
    )
    return repository.finish(partial, manifest)


def content_of(folder: Path) -> dict[str, bytes | None]:
    """All files below a folder with what they hold; None for an empty folder."""
    found: dict[str, bytes | None] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name not in ("manifest.json", "state.json"):
            found[name] = path.read_bytes()
        elif path.is_dir() and not any(path.iterdir()):
            found[name] = None
    return found


def segment(number: int, timeline: int = 1) -> str:
    """The name of a segment of a megabyte."""
    return f"{timeline:08X}{0:08X}{number:08X}"


def content(number: int, *, system: int = 7) -> bytes:
    """What looks like one from outside."""
    header = LONG_HEADER.pack(0xD118, IS_LONG, 1, number << 20, 0, 0, system, 1 << 20, 8192)
    return header + bytes([number]) * 5000 + bytes(200_000)


def write(repository: Repository, *names: str, system: int = 7) -> None:
    """These are in the archive."""
    for name in names:
        (repository.wal / name).write_bytes(content(int(name[16:24], 16), system=system))
