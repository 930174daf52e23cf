"""Who was erased stays so, whatever is restored.

The list is kept in the folder of backups too, for the day on which the database is gone: ids, dates and reasons, and
nothing of whom.
"""

from pathlib import Path
from typing import Any

import structlog
from django.db import DatabaseError, connection

from backups.engine import files
from backups.engine.carrying import shop_of
from backups.engine.records import read_record, write_record
from backups.engine.repository import Repository
from orders.models import OrderEvent
from orders.services.actor import Actor
from orders.services.erasing import Repeated, erased_people, remember_erased, repeat_erasures

NAME = "erased.json"
# The list while chosen tables are put in: as it was before, since the tables may bring an older one.
DUE = "erasures-due.json"

logger = structlog.get_logger("backups.erasures")


def file_of(repository: Repository) -> Path:
    return repository.root / NAME


def keep_erasures(*, repository: Repository) -> int:
    """Writes down who was erased in the shop's database, and says how many there are; to be done with every backup.
    Raises DiskIsFull, NotWritable."""
    people = erased_people()
    files.write_whole(file_of(repository), record_of(people))
    return len(people)


def record_of(people: list[dict[str, Any]]) -> str:
    return write_record({"shop": this_shop(), "people": people})


def kept_erasures(*, repository: Repository, shop: str) -> list[dict[str, Any]]:
    """The list that was written down of this very shop. One of another is nobody's here: the same id may be somebody
    else, and an erasure can't be taken back."""
    return people_in(file_of(repository), shop)


def people_in(path: Path, shop: str) -> list[dict[str, Any]]:
    try:
        said = read_record(path.read_text(encoding="utf-8"))
        return list(said["people"]) if shop and said["shop"] == shop else []
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError) as error:
        logger.warning("erasures_unreadable", file=str(path), reason=str(error))
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


# --- erasures that are to be repeated, whoever is killed ----------------------------------------------------


def due_of(repository: Repository) -> Path:
    return repository.root / DUE


def expect_repetition(people: list[dict[str, Any]], *, repository: Repository) -> None:
    """Writes down that these are to be erased again in a moment: whoever is killed before that leaves it to whoever
    puts right what they left. Raises DiskIsFull, NotWritable."""
    files.write_whole(due_of(repository), record_of(people))


def is_repetition_due(*, repository: Repository) -> bool:
    """Whether somebody was killed, or is at work, between putting tables in and erasing again; cheap."""
    return due_of(repository).exists()


def end_repetition(*, repository: Repository) -> None:
    """It is done."""
    due_of(repository).unlink(missing_ok=True)
    files.sync_folder(repository.root)


def repeat_what_is_due(*, repository: Repository) -> None:
    """Erases again who somebody who was killed has brought back, in the database that this thread works in. What can't
    be repeated now is tried again."""
    if not is_repetition_due(repository=repository):
        return
    try:
        shop = this_shop()
        # A marker that can't be read says that much: the list of the last backup is there too.
        again = repeat_them(people_in(due_of(repository), shop) or kept_erasures(repository=repository, shop=shop))
    except (DatabaseError, KeyError, ValueError) as error:
        logger.error("erasures_not_repeated", reason=f"{type(error).__name__}: {error}")
        return
    end_repetition(repository=repository)
    refused = {str(pk): str(refusal.detail) for pk, refusal in again.refused.items()}
    logger.info("erasures_repeated", erased_again=again.erased, elsewhere=again.elsewhere, refused=refused)
