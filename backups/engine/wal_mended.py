"""Segments that were damaged here and are whole again: what was sent of them to another place may be the damaged one.

Kept in a file until each place has got the whole one: a place that can't be reached today is sent it another day.
"""

import json
from collections.abc import Collection

from backups.engine import files
from backups.engine.repository import Repository

NAME = "wal-mended.json"


def mended(repository: Repository, place: str) -> set[str]:
    """The names of what this place has not got since it was mended. A file that can't be read holds nothing."""
    return {name for name, places in _read(repository).items() if place not in places}


def note_mended(repository: Repository, names: Collection[str]) -> None:
    """Every place is to get these once more. Raises DiskIsFull, NotWritable."""
    _write(repository, {**_read(repository), **{name: [] for name in names}})


def note_sent_again(repository: Repository, place: str, names: Collection[str]) -> None:
    """This place has got these. What is not in the archive any more is forgotten. Raises DiskIsFull, NotWritable."""
    before = _read(repository)
    after = {
        name: sorted({*places, place}) if name in names else places
        for name, places in before.items()
        if (repository.wal / name).exists()
    }
    if after != before:
        _write(repository, after)


def _read(repository: Repository) -> dict[str, list[str]]:
    try:
        values = json.loads((repository.root / NAME).read_text(encoding="utf-8"))
        return {str(name): [str(place) for place in places] for name, places in values.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _write(repository: Repository, values: dict[str, list[str]]) -> None:
    files.write_whole(repository.root / NAME, json.dumps(values, indent=1, sort_keys=True))
