"""Who was erased stays so, whatever is restored.

The list is kept in the folder of backups too, for the day on which the database is gone: ids, dates and reasons, and
nothing of whom.
"""

from pathlib import Path
from typing import Any

import structlog
from django.db import connection

from backups.engine import files
from backups.engine.carrying import shop_of
from backups.engine.records import read_record, write_record
from backups.engine.repository import Repository
from orders.models import OrderEvent
from orders.services.actor import Actor
from orders.services.erasing import Repeated, erased_people, remember_erased, repeat_erasures

NAME = "erased.json"

logger = structlog.get_logger("backups.erasures")


def file_of(repository: Repository) -> Path:
    return repository.root / NAME


def keep_erasures(*, repository: Repository) -> int:
    """Writes down who was erased in the shop's database, and says how many there are; to be done with every backup.
    Raises DiskIsFull, NotWritable."""
    people = erased_people()
    said = {"shop": this_shop(), "people": people}
    files.write_whole(file_of(repository), write_record(said))
    return len(people)


def kept_erasures(*, repository: Repository, shop: str) -> list[dict[str, Any]]:
    """The list that was written down of this very shop. One of another is nobody's here: the same id may be somebody
    else, and an erasure can't be taken back."""
    try:
        said = read_record(file_of(repository).read_text(encoding="utf-8"))
        return list(said["people"]) if shop and said["shop"] == shop else []
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError) as error:
        logger.warning("erasures_unreadable", file=str(file_of(repository)), reason=str(error))
        return []


def this_shop() -> str:
    """Which shop's the database is that this thread works in."""
    with connection.cursor() as cursor:
        return shop_of(cursor.cursor)


def repeat_them(people: list[dict[str, Any]]) -> Repeated:
    """Takes the list into the database that this thread works in, and erases there whoever is back. Raises KeyError,
    ValueError for what is no such list."""
    remember_erased(people)
    return repeat_erasures(actor=Actor(None, OrderEvent.Door.COMMAND))
