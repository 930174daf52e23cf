"""`manage.py remove_demo --keep EMAIL --name NAME`: empties the demo shop, but for one admin."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from foundation.errors import Refusal
from project.demo.removal import remove_demo
from users.selectors import user_by_email


class Command(BaseCommand):
    help = "Removes the demo and everything that was added to it; one admin's account stays."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--keep", required=True, metavar="EMAIL", help="the admin who stays and sets the shop up")
        parser.add_argument("--name", required=True, help="the shop's name, to say that you mean it")

    def handle(self, *args: Any, keep: str, name: str, **options: Any) -> None:
        try:
            remove_demo(
                typed_name=name,
                keeper_id=user_by_email(keep).pk,
                accounts_path=Path(settings.VAR_DIR) / "demo-accounts.json",
            )
        except Refusal as refusal:
            raise CommandError(refusal.detail) from None
        self.stdout.write(_("The demo is gone. Open the shop in the browser to set it up."))
