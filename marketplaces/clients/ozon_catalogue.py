"""What the report says of each SKU, kept while the stock is read: on disk, so that memory does not grow with it."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from types import TracebackType
from typing import Self

from marketplaces.clients.base import StockRow
from marketplaces.clients.ozon_report_file import ReportRow

COLUMNS = ReportRow._fields
AT_ONCE = 1000


class Catalogue:
    """The rows of a report, found by SKU. To be used in a `with`; is gone after it."""

    def __init__(self) -> None:
        # An empty name is a private file that SQLite removes itself.
        self.connection = sqlite3.connect("", isolation_level=None)
        self.connection.execute("PRAGMA journal_mode = OFF")
        self.connection.execute(f"CREATE TABLE report ({', '.join(COLUMNS)}, PRIMARY KEY (sku)) WITHOUT ROWID")

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
        while some := list(islice(remaining, AT_ONCE)):
            self.connection.execute("BEGIN")
            self.connection.executemany(f"INSERT OR REPLACE INTO report VALUES ({marks})", some)  # noqa: S608
            self.connection.execute("COMMIT")

    def named(self, rows: Sequence[StockRow]) -> list[StockRow]:
        """The rows with name and barcode, where the report has them."""
        skus = {row.sku for row in rows}
        marks = ", ".join("?" * len(skus))
        found = self.connection.execute(
            f"SELECT sku, name, barcode FROM report WHERE sku IN ({marks})",  # noqa: S608
            list(skus),
        )
        names = {sku: (name, barcode) for sku, name, barcode in found}
        # Name and barcode are a row's last fields. `_replace` takes four times as long, for each of very many rows.
        return [StockRow(*row[:-2], *names[row.sku]) if row.sku in names else row for row in rows]

    def rows(self) -> Iterator[ReportRow]:
        """All rows, by SKU."""
        for values in self.connection.execute(f"SELECT {', '.join(COLUMNS)} FROM report ORDER BY sku"):  # noqa: S608
            yield ReportRow(*values)
