"""`manage.py load_demo [--if-empty]`: fills an empty shop with the demo."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _

from foundation.errors import Refusal
from project.demo.load import load_demo


class Command(BaseCommand):
    help = "Fills an empty shop with the demo: a menu, two locations, stock, people, a week of orders."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--if-empty", action="store_true", help="do nothing if the shop is not empty")

    def handle(self, *args: Any, if_empty: bool = False, **options: Any) -> None:
        accounts_path = Path(settings.VAR_DIR) / "demo-accounts.json"
        try:
            shop = load_demo(accounts_path=accounts_path, now=timezone.now(), if_empty=if_empty)
        except Refusal as refusal:
            raise CommandError(refusal.detail) from None
        if shop is None:
            self.stdout.write(_("The shop is not empty: nothing was loaded."))
            return
        self.stdout.write(
            _("The demo shop is open: %(locations)d locations, %(drinks)d drinks, %(orders)d orders.")
            % {"locations": shop.locations, "drinks": shop.drinks, "orders": shop.orders}
        )
        self.stdout.write(_("Its accounts are in %(path)s.") % {"path": accounts_path})
