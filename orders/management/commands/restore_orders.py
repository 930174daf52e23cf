"""`manage.py restore_orders --placed-from 2025-01-01`: takes orders out of the archive again."""

import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orders.models import ArchivedOrder
from orders.services.archive import PART, restore_orders


class Command(BaseCommand):
    help = (
        "Takes orders out of the archive, as they were. With ORDER_ARCHIVE_AFTER_DAYS set, those that are older go "
        "back there the next night."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--number", type=int, action="append", help="the number of an order; more than once")
        parser.add_argument("--placed-from", type=datetime.date.fromisoformat, help="those placed from this day on")
        parser.add_argument("--all", action="store_true", help="all of them")

    def handle(
        self,
        *args: Any,
        number: list[int] | None,
        placed_from: datetime.date | None,
        **options: Any,
    ) -> None:
        wanted = ArchivedOrder.objects.order_by("pk")
        if not (number or placed_from or options["all"]):
            raise CommandError(_("Say which: --number 123, --placed-from 2025-01-01, or --all."))
        if number:
            wanted = wanted.filter(number__in=number)
        if placed_from:
            first = datetime.datetime.combine(placed_from, datetime.time(), timezone.get_default_timezone())
            wanted = wanted.filter(placed_at__gte=first)
        total = 0
        while moved := restore_orders(order_ids=list(wanted.values_list("pk", flat=True)[:PART])):
            total += moved
        self.stdout.write(
            ngettext("%(number)d order is restored.", "%(number)d orders are restored.", total) % {"number": total}
        )
