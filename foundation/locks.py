"""Locking one record whose kind does not matter. Documents with rules of their own have locks in their apps."""

from typing import TypeVar

from django.db.models import Model
from django.utils.translation import gettext as _

from foundation.errors import Missing

M = TypeVar("M", bound=Model)


def lock_record(model: type[M], record_id: int) -> M:
    """Locks the record until the end of the transaction and returns it as it is now.

    It waits for whoever is about to point to it, and makes those who come later wait: whoever holds this lock
    can tell whether the record is in use. Raises Missing.
    """
    record = model._default_manager.select_for_update(of=("self",)).filter(pk=record_id).first()
    if record is None:
        raise Missing(
            _("There is no %(kind)s with the id %(id)s.") % {"kind": model._meta.verbose_name, "id": record_id}
        )
    return record
