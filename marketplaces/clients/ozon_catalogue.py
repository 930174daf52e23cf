"""What the report says of each SKU, kept while the stock is read: on disk, so that memory does not grow with it."""

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import fields
from itertools import islice
from operator import attrgetter
from types import TracebackType
from typing import Self

from marketplaces.clients.base import StockRow
from marketplaces.clients.ozon_report_file import ReportRow

COLUMNS = [field.name for field in fields(ReportRow)]
VALUES = attrgetter(*COLUMNS)
AT_ONCE = 1000


class Catalogue:
    """The rows of a report, found by SKU. To be used in a `with`; is gone after it."""

    def __init__(self) -> None:
        # An empty name is a private file that SQLite removes itself.
        self.connection = sqlite3.connect("", isolation_level=None)
        self.connection.execute("PRAGMA journal_mode = OFF")
        self.connection.execute(f"CREATE TABLE report ({', '.join(COLUMNS)}, PRIMARY KEY (sku))")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.connection.close()

    def add(self, rows: Iterable[ReportRow]) -> None:
        """Adds the rows; a SKU that stands in the report twice is what its last row says."""
        marks = ", ".join("?" * len(COLUMNS))
        remaining = iter(rows)
        while some := [VALUES(row) for row in islice(remaining, AT_ONCE)]:
            self.connection.execute("BEGIN")
            self.connection.executemany(f"INSERT OR REPLACE INTO report VALUES ({marks})", some)  # noqa: S608
            self.connection.execute("COMMIT")

    def named(self, rows: Sequence[StockRow]) -> list[StockRow]:
        """The rows with name and barcode, where the report has them."""
        names = self.names({row.sku for row in rows})
        return [with_name(row, *names[row.sku]) if row.sku in names else row for row in rows]

    def names(self, skus: Collection[str]) -> dict[str, tuple[str, str]]:
        marks = ", ".join("?" * len(skus))
        found = self.connection.execute(
            f"SELECT sku, name, barcode FROM report WHERE sku IN ({marks})",  # noqa: S608
            list(skus),
        )
        return {sku: (name, barcode) for sku, name, barcode in found}

    def rows(self) -> Iterator[ReportRow]:
        """All rows, by SKU."""
        for values in self.connection.execute(f"SELECT {', '.join(COLUMNS)} FROM report ORDER BY sku"):  # noqa: S608
            yield ReportRow(*values)


def with_name(row: StockRow, name: str, barcode: str) -> StockRow:
    """The row with these. `dataclasses.replace` takes four times as long, for each of very many rows."""
    return StockRow(
        sku=row.sku,
        source=row.source,
        stock_type=row.stock_type,
        present=row.present,
        reserved=row.reserved,
        in_way_to_client=row.in_way_to_client,
        in_way_from_client=row.in_way_from_client,
        warehouse_id=row.warehouse_id,
        warehouse=row.warehouse,
        name=name,
        barcode=barcode,
    )
