"""Importing and exporting the catalogue, the recipes and the ingredients as spreadsheets.

Never what moves: stock and money levels come from the ledger alone.
"""

from dataclasses import dataclass

from django.db import transaction

from inventory.exchange.csv_file import write_csv
from inventory.exchange.errors import ChangedSincePreview
from inventory.exchange.report import Report
from inventory.exchange.subjects import SUBJECTS
from inventory.exchange.table import read_table
from inventory.exchange.xlsx_file import write_xlsx

CONTENT_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """A file to hand over."""

    name: str
    content_type: str
    content: bytes


def preview_import(*, subject: str, file_name: str, content: bytes) -> Report:
    """Says what importing the file would do, line by line; nothing is changed.

    Raises WrongFile, and WrongLines with every line that can't be taken.
    """
    return run(subject, file_name, content, dry_run=True)


@transaction.atomic
def import_file(*, subject: str, file_name: str, content: bytes, seen_digest: str | None = None) -> Report:
    """Brings the catalogue up to the file, as a whole. The same file again changes nothing.

    With the `digest` of the report that somebody has seen, it does that and nothing else.

    Raises WrongFile, WrongLines, ChangedSincePreview.
    """
    report = run(subject, file_name, content, dry_run=False)
    if seen_digest is not None and report.digest != seen_digest:
        raise ChangedSincePreview
    return report


def run(subject: str, file_name: str, content: bytes, *, dry_run: bool) -> Report:
    kind = SUBJECTS[subject]
    table = read_table(file_name=file_name, content=content, known=kind.columns, needed=kind.needed_columns)
    return kind.resource(table).run(dry_run=dry_run)


def export_file(*, subject: str, format: str) -> ExportedFile:
    """All records of a kind as "csv" or "xlsx". Importing that file changes nothing."""
    kind = SUBJECTS[subject]
    resource = kind.resource()
    dataset = resource.export(resource.get_queryset())
    content = (
        write_csv(dataset.headers, dataset)
        if format == "csv"
        else write_xlsx(dataset.headers, dataset, title=kind.name)
    )
    return ExportedFile(f"{kind.name}.{format}", CONTENT_TYPES[format], content)
