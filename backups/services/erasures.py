"""Who was erased stays so, whatever is restored.

The list is kept in the folder of backups too, for the day on which the database is gone: ids, dates and reasons, and
nothing of whom.
"""

import json
from pathlib import Path
from typing import Any

import structlog

from backups.engine import files
from backups.engine.repository import Repository
from orders.models import OrderEvent
from orders.services.actor import Actor
from orders.services.erasing import Repeated, erased_people, remember_erased, repeat_erasures

NAME = "erased.json"

logger = structlog.get_logger("backups.erasures")


def file_of(repository: Repository) -> Path:
    return repository.root / NAME


def keep_erasures(*, repository: Repository, system_identifier: str, database: str) -> int:
    """Writes down who was erased in the shop's database, and says how many there are. Raises DiskIsFull,
    NotWritable."""
    people = erased_people()
    said = {"system_identifier": system_identifier, "database": database, "people": people}
    files.write_whole(file_of(repository), json.dumps(said, ensure_ascii=False, indent=1))
    return len(people)


def kept_erasures(*, repository: Repository, system_identifier: str, database: str) -> list[dict[str, Any]]:
    """The list that was written down of this very database. One of another is nobody's here: the same id may be
    somebody else, and an erasure can't be taken back."""
    try:
        said = json.loads(file_of(repository).read_text(encoding="utf-8"))
        if (said["system_identifier"], said["database"]) != (system_identifier, database):
            return []
        return list(said["people"])
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError) as error:
        logger.warning("erasures_unreadable", file=str(file_of(repository)), reason=str(error))
        return []


def repeat_them(people: list[dict[str, Any]]) -> Repeated:
    """Takes the list into the database that this thread works in, and erases there whoever is back. Raises KeyError,
    ValueError for what is no such list."""
    remember_erased(people)
    return repeat_erasures(actor=Actor(None, OrderEvent.Door.COMMAND))
