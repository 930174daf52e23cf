"""Moving documents along their statuses: what is the same for orders, purchase orders and counts."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db.models import Model
from django_fsm import can_proceed, get_all_FIELD_transitions


def make_transition(
    document: Model, verb: str, *, refuse: Callable[[list[str]], Exception], arguments: Mapping[str, Any] | None = None
) -> None:
    """Makes the transition `verb` on a locked document in memory. Where its status does not allow that, raises what
    `refuse` makes of the statuses that would."""
    transition = getattr(document, verb)
    if not can_proceed(transition):
        raise refuse(statuses_before(document, verb))
    transition(**(arguments or {}))


def statuses_before(document: Model, verb: str) -> list[str]:
    """The statuses that the transition `verb` leads away from, in the order of the document's life."""
    field = status_field(document)
    sources = {one.source for one in get_all_FIELD_transitions(document, field) if one.name == verb}
    return [status for status, _label in field.choices if status in sources]


def labels_of(document: Model, statuses: Sequence[str]) -> list[str]:
    """The statuses as people read them."""
    labels = dict(status_field(document).choices)
    return [str(labels[status]) for status in statuses]


def status_field(document: Model) -> Any:
    return document._meta.get_field("status")
