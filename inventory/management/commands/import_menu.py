"""`manage.py import_menu FILE`: brings the menu up to a CSV file."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from foundation.errors import Refusal
from inventory.menu_file import read_menu_file
from inventory.services.menu_import import import_menu


class Command(BaseCommand):
    help = "Imports a menu from a CSV file: new drinks with recipes and options, new prices of known ones."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="for example demo/bubble_tea_menu.csv")

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        try:
            menu = read_menu_file(file)
            result = import_menu(rows=menu.rows)
        except Refusal as refusal:
            raise CommandError(f"{refusal.detail}\n{_('Nothing has been changed.')}") from None
        if menu.encoding != "utf-8":
            self.stdout.write(
                _("The file is not UTF-8 and was read as %(encoding)s: check the names.") % {"encoding": menu.encoding}
            )
        for change in result.changed:
            self.stdout.write(f"{change.name}: {change.before} → {change.after}")
        if result.without_recipe:
            self.stdout.write(
                _("No recipe is known for: %(names)s. Until you write one, selling it takes nothing from the stock.")
                % {"names": ", ".join(result.without_recipe)}
            )
        self.stdout.write(
            ngettext(
                "%(total)d drink, %(created)d new, %(changed)d changed",
                "%(total)d drinks, %(created)d new, %(changed)d changed",
                result.total,
            )
            % {"total": result.total, "created": len(result.created), "changed": len(result.changed)}
        )
