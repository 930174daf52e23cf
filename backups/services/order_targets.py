"""Where recovery has to end for an order to be as it was: just before it was deleted, or before its last change."""

import datetime
from dataclasses import dataclass

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from backups.errors import WrongTarget
from backups.models import DeletedOrder
from foundation.errors import InvalidInput
from orders.models import ArchivedOrder, Order

# The numbers below are PostgreSQL's own.
FIRST_XID = 3


@dataclass(frozen=True, slots=True)
class BeforeOrder:
    """The transaction that deleted an order, or was the last to change it, and its moment where that is known."""

    number: int
    xid: int
    at: datetime.datetime | None
    is_deleted: bool

    def __str__(self) -> str:
        """The target, for a person; in the language of who asks."""
        sentence = (
            _("just before order %(number)s was deleted")
            if self.is_deleted
            else _("just before the last change of order %(number)s")
        )
        return sentence % {"number": self.number}


def before_order(number: int) -> BeforeOrder:
    """What did the last thing to the order of this number. Raises WrongTarget at `order`, with a sentence, where
    nothing is known of it or the transaction is another server's."""
    order = Order.objects.filter(number=number).only("pk").first()
    if order is not None:
        return before_change(number, order.pk)
    if ArchivedOrder.objects.filter(number=number).exists():
        raise refused(
            _("Order %(number)s is in the archive, where nothing changes it. Choose a moment instead."), number
        )
    deleted = DeletedOrder.objects.filter(number=number).order_by("-id").first()
    if deleted is None:
        raise refused(
            _(
                "There is no order %(number)s, and none of this number was deleted as far as the shop knows. Choose a "
                "moment instead."
            ),
            number,
        )
    if deleted.server != system_identifier():
        raise refused(
            _("Order %(number)s was deleted on the server that the shop had before. Choose a moment instead."), number
        )
    return BeforeOrder(number, deleted.transaction, deleted.deleted_at, is_deleted=True)


def system_identifier() -> str:
    """Which server the shop is on, as the trigger writes it down."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT system_identifier::text FROM pg_control_system()")
        return str(cursor.fetchall()[0][0])


def before_change(number: int, order_id: int) -> BeforeOrder:
    """The newest transaction that wrote a row of the order: its own, or one that belongs to it."""
    rows = [(Order._meta.db_table, "id"), *sorted(belonging())]
    written = " UNION ALL ".join(
        # Names of the shop's own tables and columns only: nothing that anybody typed.
        f'SELECT xmin AS xid FROM "{table}" WHERE "{column}" = %(order)s'  # noqa: S608
        for table, column in rows
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('track_commit_timestamp')::bool")
        clock = "pg_xact_commit_timestamp(xid)" if cursor.fetchall()[0][0] else "NULL::timestamptz"
        cursor.execute(
            f"SELECT xid::text::bigint, {clock} AS at FROM ({written}) AS written"  # noqa: S608
            " ORDER BY at DESC NULLS LAST, age(xid) LIMIT 1",
            {"order": order_id},
        )
        xid, at = cursor.fetchall()[0]
    if xid < FIRST_XID:
        raise refused(_("Order %(number)s was changed too long ago. Choose a moment instead."), number)
    return BeforeOrder(number, xid, at and timezone.localtime(at, datetime.UTC), is_deleted=False)


def belonging() -> set[tuple[str, str]]:
    """The tables whose rows belong to an order, with the column that names it."""
    return {
        (link.related_model._meta.db_table, str(link.field.column))
        for link in Order._meta.related_objects
        if link.related_model._meta.managed and link.related_model._meta.app_label == Order._meta.app_label
    }


def refused(sentence: str, number: int) -> InvalidInput:
    return WrongTarget.at("order", sentence % {"number": number})
