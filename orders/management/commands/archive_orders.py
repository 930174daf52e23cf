"""`manage.py archive_orders --days 730`: moves old orders into the archive."""

import datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orders.services.archive import archive_orders


class Command(BaseCommand):
    help = "Moves orders completed or cancelled long ago into the archive, where all that reads still finds them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--days", type=int, help="older than so many days; ORDER_ARCHIVE_AFTER_DAYS if not given")

    def handle(self, *args: Any, days: int | None, **options: Any) -> None:
        age = settings.ORDER_ARCHIVE_AFTER_DAYS if days is None else days
        if age <= 0:
            raise CommandError(_("Say how old: --days 730, or set ORDER_ARCHIVE_AFTER_DAYS."))
        before, total = timezone.now() - datetime.timedelta(days=age), 0
        while moved := archive_orders(before=before):
            total += moved
        self.stdout.write(
            ngettext("%(number)d order is archived.", "%(number)d orders are archived.", total) % {"number": total}
        )
