"""Removing the demo: the shop is empty again, all of it or nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.contrib.sessions.models import Session
from django.core.files.storage import default_storage
from django.db import OperationalError, connection, transaction
from django.db.models import FileField, Model
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from foundation.errors import InvalidInput, Missing
from foundation.locks import lock_record
from foundation.models import Shop
from foundation.models.shop import ONLY_ID
from foundation.shop import forget_shop
from project.demo.accounts import AccountsFile
from project.demo.errors import NoDemo, SomebodyIsWorking
from project.demo.tables import business, traces
from project.demo.telling import stop_telling
from project.first_run.gate import look_again
from users.locks import lock_admins
from users.models import User
from users.selectors import active_admins

# What is being written when the button is pressed is waited for so long.
PATIENCE = "10s"


@dataclass(frozen=True, slots=True)
class Going:
    """How many records of a kind go."""

    kind: str | Promise
    number: int


def what_goes(*, keeper_id: int) -> list[Going]:
    """Everything that removing the demo would delete, in two queries: what was added since, too."""
    models = [model for model in [*business(), *traces()] if not model._meta.auto_created and model is not Shop]
    accounts = User.objects.exclude(pk=keeper_id).count()
    numbers = [Going(capfirst(str(User._meta.verbose_name_plural)), accounts)]
    numbers += [
        Going(capfirst(str(model._meta.verbose_name_plural)), number)
        for model, number in zip(models, count_rows(models), strict=True)
    ]
    return [going for going in numbers if going.number]


def count_rows(models: list[type[Model]]) -> list[int]:
    """The number of rows of each, in one query."""
    counts = ", ".join(f"(SELECT count(*) FROM {table_of(model)})" for model in models)  # noqa: S608 - our own names
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {counts}")
        return list(cursor.fetchone())


def remove_demo(*, typed_name: str, keeper_id: int, accounts_path: Path, keeper_session: str = "") -> None:
    """Empties the shop of the demo and of all that was added to it, in one transaction.

    What stays: the admin `keeper_id` and the session they do it in, the roles, the timetable of the tasks. The
    ledgers' triggers guard rows; they stay too, because a table that is emptied as a whole fires none of them.
    Pictures and the file of the demo's accounts go after the commit.

    Raises NoDemo, SomebodyIsWorking, InvalidInput at `name`.
    """
    with transaction.atomic():
        try:
            empty_the_shop(typed_name=typed_name, keeper_id=keeper_id, keeper_session=keeper_session)
        except OperationalError as error:
            # Two that wait for each other, or one that works longer than we wait.
            raise SomebodyIsWorking from error
        transaction.on_commit(forget_shop)
        transaction.on_commit(look_again)
        transaction.on_commit(AccountsFile(accounts_path).discard)


def empty_the_shop(*, typed_name: str, keeper_id: int, keeper_session: str) -> None:
    """The transaction's part of it."""
    try:
        # Of two who press at once the second waits here, and then finds no shop.
        shop = lock_record(Shop, ONLY_ID)
    except Missing:
        raise NoDemo from None
    if not shop.is_demo:
        raise NoDemo
    if typed_name.strip().casefold() != shop.name.casefold():
        raise InvalidInput.at("name", _("Type the shop's name as it is written: %(name)s") % {"name": shop.name})
    lock_admins()
    if not active_admins().filter(pk=keeper_id).exists():
        raise InvalidInput.at("keeper", _("Somebody must be able to open the shop afterwards: keep an active admin."))
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{PATIENCE}'")
        # What was written before in this transaction has its keys checked now: no table with checks to come is emptied.
        connection.check_constraints()
        tables = ", ".join(table_of(model) for model in business())
        names = list(files())
        cursor.execute(f"TRUNCATE {tables} RESTART IDENTITY")
        restart_numbers(cursor)
    if shop.demo_since is not None:
        stop_telling(since=shop.demo_since)
    for model in traces():
        model._base_manager.all()._raw_delete(using="default")
    Session.objects.exclude(session_key=keeper_session).delete()
    User.objects.exclude(pk=keeper_id).delete()
    transaction.on_commit(lambda: delete_files(names))


def restart_numbers(cursor: Any) -> None:
    """Documents are numbered from the first again: sequences that belong to no column."""
    cursor.execute(
        """
        SELECT sequence.relname FROM pg_class AS sequence
        WHERE sequence.relkind = 'S' AND sequence.relnamespace = current_schema()::regnamespace
          AND NOT EXISTS (
            SELECT FROM pg_depend WHERE pg_depend.objid = sequence.oid AND pg_depend.deptype IN ('a', 'i', 'e')
          )
        """
    )
    for (name,) in cursor.fetchall():
        cursor.execute(f"ALTER SEQUENCE {connection.ops.quote_name(name)} RESTART")


def files() -> Iterator[str]:
    """The names of all files that the rows of the shop's tables hold."""
    for model in business():
        for field in model._meta.get_fields():
            if isinstance(field, FileField):
                yield from model._base_manager.exclude(**{field.name: ""}).values_list(field.name, flat=True)


def delete_files(names: list[str]) -> None:
    for name in names:
        if name:
            default_storage.delete(name)


def table_of(model: type[Model]) -> str:
    return connection.ops.quote_name(model._meta.db_table)
