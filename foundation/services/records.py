"""Writing records that have no rules beyond those of their model: checked whole, written or refused."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import IntegrityError, connection, transaction
from django.db.models import PROTECT, RESTRICT, ManyToOneRel, Model, ProtectedError, RestrictedError
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from foundation.errors import InUse, InvalidInput
from foundation.locks import lock_record

M = TypeVar("M", bound=Model)


@transaction.atomic
def add_record(*, record: M) -> M:
    """Saves a new record. Raises InvalidInput at its fields."""
    check_record(record)
    record.save(force_insert=True)
    return record


@transaction.atomic
def change_record(*, model: type[M], record_id: int, changes: Mapping[str, Any]) -> M:
    """Changes these fields of a record, by name, and no others. Raises Missing, InvalidInput at its fields."""
    record = lock_record(model, record_id)
    for name, value in changes.items():
        setattr(record, name, value)
    check_record(record)
    record.save(update_fields=list(changes))
    return record


@transaction.atomic
def delete_record(*, model: type[M], record_id: int) -> M:
    """Deletes a record that nothing needs, and returns it as it was. Raises Missing, InUse."""
    record = lock_record(model, record_id)
    users = sorted(kinds_that_need(record))
    if users:
        raise in_use(record, ", ".join(users))
    try:
        with transaction.atomic():
            # A copy is what the caller gets: deleting takes the primary key away.
            model._default_manager.filter(pk=record_id).delete()
            # Keys are checked at the commit otherwise, too late for a sentence.
            connection.check_constraints()
    except (ProtectedError, RestrictedError, IntegrityError) as error:
        # Below what would be deleted along, or written while we looked.
        raise in_use(record, _("other records")) from error
    return record


def in_use(record: Model, users: str) -> InUse:
    return InUse(
        _("“%(name)s” can't be deleted: it is needed by %(users)s. Take it out there first, or keep it.")
        % {"name": record, "users": users}
    )


def kinds_that_need(record: Model) -> Iterator[str]:
    """The kinds of records that point to this one and forbid its deletion.

    Asked one by one: Django would first fetch every row that does so, and a ledger has millions.
    """
    for relation in record._meta.get_fields(include_hidden=True):
        if not isinstance(relation, ManyToOneRel) or relation.on_delete not in (PROTECT, RESTRICT):
            continue
        users: type[Model] = relation.related_model
        if users._base_manager.filter(**{relation.field.name: record.pk}).exists():
            yield str(users._meta.verbose_name_plural)


def check_record(record: Model) -> None:
    """Runs the model's own checks: fields, unique names, constraints. Raises InvalidInput at the fields."""
    try:
        record.full_clean()
    except ValidationError as error:
        errors = {
            "non_field_errors" if field == NON_FIELD_ERRORS else field: sentences
            for field, sentences in error.message_dict.items()
        }
        sentences = [sentence for lines in errors.values() for sentence in lines]
        raise InvalidInput(" ".join(capfirst(sentence) for sentence in sentences), errors=errors) from error
