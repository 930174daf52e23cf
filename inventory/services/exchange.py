"""Importing and exporting the catalogue, the recipes and the ingredients as spreadsheets.

Never what moves: stock and money levels come from the ledger alone.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction

from foundation.models import KeptFile
from foundation.services.kept_files import find_file, keep_file, take_file
from inventory.exchange.csv_file import write_csv
from inventory.exchange.errors import ChangedSincePreview
from inventory.exchange.report import Report
from inventory.exchange.subjects import SUBJECTS
from inventory.exchange.table import read_table
from inventory.exchange.xlsx_file import write_xlsx

FORMATS = {
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


@dataclass(frozen=True, slots=True)
class Preview:
    """What importing a file would do. `file_id` is what it is kept under; None if there is nothing to import."""

    report: Report
    file_id: UUID | None


@transaction.atomic
def hand_in(*, subject: str, file_name: str, content: bytes, user_id: int) -> Preview:
    """Previews a file, and keeps it for the person until they confirm it.

    Raises WrongFile, WrongLines; then nothing is kept.
    """
    report = preview_import(subject=subject, file_name=file_name, content=content)
    if not report.changes:
        return Preview(report, None)
    kept = keep_file(user_id=user_id, purpose=purpose(subject), name=file_name, content=content, seen=report.digest)
    return Preview(report, kept.pk)


@transaction.atomic
def look_again(*, subject: str, file_id: Any, user_id: int) -> Preview:
    """Previews a kept file anew. Raises Missing, WrongLines."""
    kept = find_file(file_id=file_id, user_id=user_id, purpose=purpose(subject))
    return hand_in(subject=subject, file_name=kept.name, content=bytes(kept.content), user_id=user_id)


@transaction.atomic
def import_kept(*, subject: str, file_id: Any, user_id: int) -> Report:
    """Imports a file that the person has handed in and seen the preview of: once, and as they saw it.

    Raises Missing, ChangedSincePreview, WrongLines; then the file is kept still.
    """
    kept: KeptFile = take_file(file_id=file_id, user_id=user_id, purpose=purpose(subject))
    return import_file(subject=subject, file_name=kept.name, content=bytes(kept.content), seen_digest=kept.seen)


def purpose(subject: str) -> str:
    return f"import of {subject}"


def run(subject: str, file_name: str, content: bytes, *, dry_run: bool) -> Report:
    kind = SUBJECTS[subject]
    table = read_table(file_name=file_name, content=content, known=kind.columns, needed=kind.needed_columns)
    return kind.resource(table).run(dry_run=dry_run)


def export_file(*, subject: str, kind: str) -> ExportedFile:
    """All records of a subject as "csv" or "xlsx". Importing that file changes nothing."""
    resource = SUBJECTS[subject].resource()
    dataset = resource.export(resource.get_queryset())
    content = (
        write_csv(dataset.headers, dataset) if kind == "csv" else write_xlsx(dataset.headers, dataset, title=subject)
    )
    return ExportedFile(f"{subject}.{kind}", FORMATS[kind], content)
