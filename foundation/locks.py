"""Locking one record whose kind does not matter. Documents with rules of their own have locks in their apps."""

from typing import TypeVar

from django.db import connection
from django.db.models import Model
from django.utils.translation import gettext as _

from foundation.errors import Missing

M = TypeVar("M", bound=Model)


def lock_record(model: type[M], record_id: int) -> M:
    """Locks the record until the end of the transaction and returns it as it is now. Raises Missing.

    Nobody waits who only points to the record, such as a sale to its product.
    """
    with connection.cursor() as cursor:
        # The table before the row: somebody who locks the whole table for writing, as an import does, and waits
        # for this row must not find us waiting for the table.
        cursor.execute(f"LOCK TABLE {connection.ops.quote_name(model._meta.db_table)} IN ROW EXCLUSIVE MODE")
    record = model._default_manager.select_for_update(of=("self",), no_key=True).filter(pk=record_id).first()
    if record is None:
        raise Missing(
            _("There is no %(kind)s with the id %(id)s.") % {"kind": model._meta.verbose_name, "id": record_id}
        )
    return record
