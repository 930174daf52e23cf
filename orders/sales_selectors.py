"""Questions about imports of sales."""

import datetime
from collections.abc import Collection

from django.db.models import QuerySet

from orders.models import EveryOrder, SalesImport


def known_import_keys(keys: Collection[str]) -> set[str]:
    """Those of the keys whose imported orders are in the shop already, archived ones too, in one query."""
    found = EveryOrder.objects.filter(import_key__in=keys).order_by().values_list("import_key", flat=True)
    return {key for key in found if key}


def stalled_sales_imports(*, at: datetime.datetime) -> QuerySet[SalesImport]:
    """Imports of sales that run and made no progress for two minutes before `at`: the message that should carry
    them on was lost, or the command that wrote them was killed."""
    return SalesImport.objects.filter(
        status=SalesImport.Status.RUNNING, updated_at__lt=at - datetime.timedelta(minutes=2)
    )


def forgotten_sales_imports(*, at: datetime.datetime) -> QuerySet[SalesImport]:
    """Imports of sales that have waited for more than a day before `at` and that nobody has started."""
    return SalesImport.objects.filter(status=SalesImport.Status.CHECKED, updated_at__lt=at - datetime.timedelta(days=1))
