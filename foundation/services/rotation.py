"""Encrypting stored values anew with the first key of FIELD_ENCRYPTION_KEYS, so that an old key can be taken away.

Looks at every EncryptedTextField and EncryptedJSONField of the installed apps, and at the columns that an app has
registered because somebody else's model keeps encrypted texts in plain JSON. Values are compared when they are
written: what somebody else changes meanwhile is never put back.
"""

import json
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db import connection, models, transaction

from foundation.encryption import CanNotDecrypt, EncryptedTextField, has_first_key, is_encrypted, rotate

BATCH = 200
# {model: fields of JSON in which encrypted texts stand}
encrypted_json: dict[type[models.Model], list[str]] = {}
# {model: called with the primary keys of each batch, in its transaction}
listeners: dict[type[models.Model], Callable[[Collection[Any]], None]] = {}


@dataclass(slots=True)
class Rotated:
    """What became of one column: values that were encrypted anew, that had the first key already, and the primary keys
    of rows whose value opens with none of the keys."""

    column: str
    rotated: int = 0
    up_to_date: int = 0
    unreadable: list[str] = field(default_factory=list)


def register_encrypted_json(model: type[models.Model], field: str) -> None:
    """Tells of a JSON column of `model` in which some texts are encrypted."""
    if field not in encrypted_json.setdefault(model, []):
        encrypted_json[model].append(field)


def register_listener(model: type[models.Model], listener: Callable[[Collection[Any]], None]) -> None:
    """Has `listener` called with the primary keys of the rows of `model` that were encrypted anew, in the transaction
    that does it."""
    listeners[model] = listener


def rotate_everything() -> Iterator[Rotated]:
    """Encrypts everything anew, column by column. Interrupted, it goes on where it stopped when it is called again."""
    for model in apps.get_models(include_auto_created=True):
        if model._meta.managed and not model._meta.proxy:
            yield from rotate_model(model)


def rotate_model(model: type[models.Model]) -> list[Rotated]:
    """Encrypts the values of one model anew. Not to be called in a transaction: each batch is one of its own."""
    texts = [field for field in model._meta.local_fields if isinstance(field, EncryptedTextField)]
    return [
        *(rotate_column(model, field, anew) for field in texts),
        *(rotate_column(model, model._meta.get_field(name), anew_in_json) for name in encrypted_json.get(model, ())),
    ]


def rotate_column(model: type[models.Model], field: Any, change: Callable[[str], str]) -> Rotated:
    """Walks through the column in the order of the primary keys."""
    result = Rotated(f"{model._meta.label}.{field.name}")
    last: Any = None
    while rows := next_rows(model, field, after=last):
        last = rows[-1][0]
        with transaction.atomic():
            done = [pk for pk, stored in rows if rotate_value(model, field, pk, stored, change, result)]
            if done and model in listeners:
                listeners[model](done)
    return result


def rotate_value(
    model: type[models.Model], field: Any, pk: Any, stored: str, change: Callable[[str], str], result: Rotated
) -> bool:
    try:
        new = change(stored)
    except CanNotDecrypt:
        result.unreadable.append(str(pk))
        return False
    if new == stored:
        result.up_to_date += 1
        return False
    table, column, key = names_of(model, field)
    with connection.cursor() as cursor:
        # Only over the value that was read: a newer one has the first key already.
        cursor.execute(
            f"UPDATE {table} SET {column} = %s WHERE {key} = %s AND {column}::text = %s",  # noqa: S608
            [new, pk, stored],
        )
        if not cursor.rowcount:
            return False
    result.rotated += 1
    return True


def next_rows(model: type[models.Model], field: Any, *, after: Any) -> list[tuple[Any, str]]:
    """The next rows with a value, as the database holds it."""
    table, column, key = names_of(model, field)
    condition = "" if after is None else f"AND {key} > %s"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {key}, {column}::text FROM {table}"  # noqa: S608
            f" WHERE {column} IS NOT NULL {condition} ORDER BY {key} LIMIT {BATCH}",
            [] if after is None else [after],
        )
        return list(cursor.fetchall())


def names_of(model: type[models.Model], field: Any) -> tuple[str, str, str]:
    """Table, column and primary key, quoted."""
    quote = connection.ops.quote_name
    pk: Any = model._meta.pk
    return quote(model._meta.db_table), quote(field.column), quote(pk.column)


def anew(stored: str) -> str:
    """The value with the first key; the very same if it has it already. Raises CanNotDecrypt."""
    return stored if has_first_key(stored) else rotate(stored)


def anew_in_json(stored: str) -> str:
    """The JSON value with its encrypted texts anew; the very same if there is nothing to do. Raises CanNotDecrypt."""
    value = json.loads(stored)
    changed = texts_anew(value)
    return stored if changed == value else json.dumps(changed)


def texts_anew(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: texts_anew(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [texts_anew(inner) for inner in value]
    return anew(value) if isinstance(value, str) and is_encrypted(value) else value
