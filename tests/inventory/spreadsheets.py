"""Spreadsheets for tests: made in memory, as people and programs save them."""

import io
import zipfile
from collections.abc import Sequence
from typing import Any

from openpyxl import Workbook, load_workbook

from inventory.exchange.report import Outcome, Report
from inventory.services.exchange import import_file, preview_import


def csv_file(*lines: str, encoding: str = "utf-8") -> bytes:
    return "\r\n".join((*lines, "")).encode(encoding)


def xlsx_file(*rows: Sequence[Any], sheets: Sequence[str] = ("Sheet",), merge: str = "") -> bytes:
    """A workbook whose first sheet has these rows; the others hold something else."""
    workbook = Workbook()
    sheet = workbook.active
    sheet.title = sheets[0]
    for row in rows:
        sheet.append(list(row))
    for name in sheets[1:]:
        workbook.create_sheet(name).append(["nothing", "of", "this"])
    if merge:
        sheet.merge_cells(merge)
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


def with_sheet(workbook: bytes, sheet_xml: str) -> bytes:
    """The workbook with another first sheet, written by hand as no spreadsheet would."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook)) as before, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as after:
        for part in before.infolist():
            is_sheet = part.filename == "xl/worksheets/sheet1.xml"
            after.writestr(part.filename, sheet_xml if is_sheet else before.read(part))
    return out.getvalue()


def sheet_of(rows: str, before: str = "") -> str:
    namespace = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return f'<?xml version="1.0"?>{before}<worksheet xmlns="{namespace}"><sheetData>{rows}</sheetData></worksheet>'


def rows_in(workbook: bytes) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in load_workbook(io.BytesIO(workbook)).worksheets[0].iter_rows(values_only=True)]


def bring_in(subject: str, content: bytes) -> Report:
    """Imports the file, under the name that its content asks for."""
    return import_file(subject=subject, file_name=name_of(content), content=content)


def look_at(subject: str, content: bytes) -> Report:
    return preview_import(subject=subject, file_name=name_of(content), content=content)


def name_of(content: bytes) -> str:
    return "shop.xlsx" if content.startswith(b"PK") else "shop.csv"


def outcomes(report: Report) -> list[tuple[int | None, str, str]]:
    """(line, what becomes of it, name) of each line."""
    return [(line.line, Outcome(line.outcome).value, line.name) for line in report.lines]
