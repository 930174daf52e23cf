"""`manage.py import_sales FILE`: brings in the sales of another till from a CSV file."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from foundation.admin.moments import moment_at
from foundation.errors import InvalidInput, Refusal
from inventory.models import Location
from orders.errors import WrongLinesOfSales
from orders.models import OrderEvent, SalesImport
from orders.sales_dates import DateFormat
from orders.sales_file import open_sales
from orders.sales_survey import SalesSurvey, survey_sales
from orders.services.actor import Actor
from orders.services.sales_import import import_sales

ERRORS_SHOWN, NAMES_SHOWN = 20, 10


class Command(BaseCommand):
    help = "Imports sales from a CSV file as completed orders without prices that move no stock."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="for example demo/bakery_sales_2016_2017.csv")
        parser.add_argument("--location", default="", help="its name or id; the first open one if not given")
        parser.add_argument("--till", default="", help="which till, if several of a location count from 1")
        parser.add_argument("--date-format", choices=DateFormat.values, help="how dates are written, if unclear")
        parser.add_argument("--leave-out-wrong", action="store_true", help="leave out transactions with a wrong line")
        parser.add_argument("--dry-run", action="store_true", help="only say what would happen")

    def handle(
        self,
        *args: Any,
        file: Path,
        location: str,
        till: str,
        date_format: str | None,
        leave_out_wrong: bool,
        dry_run: bool,
        **options: Any,
    ) -> None:
        place = location_named(location)
        try:
            with open_sales(file, date_format=DateFormat(date_format) if date_format else None) as sales:
                survey = survey_sales(file=sales, location=place, till=till)
                self.describe(survey)
                if dry_run:
                    return
                done = import_sales(
                    survey=survey,
                    file_name=file.name,
                    actor=Actor(None, OrderEvent.Door.COMMAND),
                    leave_out_wrong=leave_out_wrong,
                    tell=self.tell,
                )
        except Refusal as refusal:
            raise CommandError("\n".join([*sentences_of(refusal), _("Nothing has been imported.")])) from None
        self.stdout.write(result_of(done))

    def describe(self, survey: SalesSurvey) -> None:
        """What the file holds and what would become of it."""
        findings = survey.findings
        for line, sentence in findings.errors[:ERRORS_SHOWN]:
            self.stderr.write(_("Line %(line)s: %(faults)s") % {"line": line, "faults": sentence})
        if findings.wrong > ERRORS_SHOWN:
            self.stderr.write(_("And %(number)d more lines.") % {"number": findings.wrong - ERRORS_SHOWN})
        for notice in survey.notices:
            self.stdout.write(notice)
        for label, value in self.facts(survey):
            self.stdout.write(f"{label}: {value}")

    def facts(self, survey: SalesSurvey) -> Iterator[tuple[str, str]]:
        findings, zone = survey.findings, survey.location.time_zone
        yield _("Location"), str(survey.location)
        yield _("Lines"), shown(findings.lines)
        yield _("Orders"), shown(findings.orders)
        yield _("Items"), shown(findings.items)
        if findings.first_at and findings.last_at:
            yield _("Period"), f"{moment_at(findings.first_at, zone)} – {moment_at(findings.last_at, zone)}"
        yield _("Lines of NONE, skipped"), shown(findings.none)
        if findings.wrong:
            yield _("Wrong lines"), shown(findings.wrong)
            yield _("Transactions left out"), shown(findings.left_out)
        if survey.new_products:
            names = f"{shown(len(survey.new_products))} ({some_of(survey.new_products)})"
            yield _("New products, unlisted and without a price"), names

    def tell(self, done: SalesImport) -> None:
        """How far it is, to somebody who watches."""
        if self.stdout.isatty():
            self.stdout.write(f"\r{shown(done.done_count)} / {shown(done.order_count)} ", ending="")
            self.stdout.flush()
            if done.done_count == done.order_count:
                self.stdout.write("")


def sentences_of(refusal: Refusal) -> list[str]:
    """What is refused, and which option helps."""
    errors = refusal.errors if isinstance(refusal, InvalidInput) else {}
    if "date_format" in errors:
        return [refusal.detail, _("Options: %(options)s") % {"options": f"--date-format {'|'.join(DateFormat.values)}"}]
    if isinstance(refusal, WrongLinesOfSales):
        return [refusal.detail, _("Options: %(options)s") % {"options": "--leave-out-wrong"}]
    return [refusal.detail]


def location_named(text: str) -> Location:
    """The location with this name or id; without one the first that is open. Raises CommandError."""
    if not text:
        first = Location.objects.filter(is_active=True).order_by("id").first()
        if first is None:
            raise CommandError(_("The shop has no open location yet. Add one first."))
        return first
    found = Location.objects.filter(name__iexact=text).first()
    if found is None and text.isascii() and text.isdigit() and len(text) < 19:
        found = Location.objects.filter(pk=int(text)).first()
    if found is None:
        names = ", ".join(Location.objects.values_list("name", flat=True)[:NAMES_SHOWN])
        raise CommandError(
            _("There is no location “%(name)s”. Locations: %(names)s.") % {"name": text, "names": names or "—"}
        )
    return found


def result_of(done: SalesImport) -> str:
    """What an import did, in a sentence."""
    if not done.imported_count:
        return _("Nothing to import: %(number)s already there.") % {"number": shown(done.already_there_count)}
    sentence = ngettext("%(number)s order imported", "%(number)s orders imported", done.imported_count)
    imported = sentence % {"number": shown(done.imported_count)}
    if not done.already_there_count:
        return f"{imported}."
    return _("%(imported)s, %(number)s already there.") % {
        "imported": imported,
        "number": shown(done.already_there_count),
    }


def some_of(names: list[str]) -> str:
    rest = len(names) - NAMES_SHOWN
    return ", ".join([*names[:NAMES_SHOWN], *([_("and %(number)d more") % {"number": rest}] if rest > 0 else [])])


def shown(number: int) -> str:
    return number_format(number, force_grouping=True)
