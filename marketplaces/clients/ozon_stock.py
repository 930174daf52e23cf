"""What lies where according to Ozon, told once.

Five of its answers overlap. For each scheme, one of them fills the rows, the most exact that the key may ask:

1. FBS and realFBS by warehouse, `/v1/product/info/warehouse/stocks` (sources "fbs" and "rfbs"); FBO by warehouse,
   `/v1/product/info/stocks-by-warehouse/fbo` (source "fbo");
2. where Ozon does not allow that (403) or does not have it any more (404), and for FBP always: per scheme,
   `/v4/product/info/stocks` (source "product_info");
3. where that is not allowed either: the report `/v1/report/products/create` (source "report").

The report is made in any case: names and barcodes stand nowhere else. A source that fills nothing this time is told
as complete and empty, so that no piece is counted in two; one that failed is not told as complete, so that its rows
stay. `present` includes what is `reserved`, whichever source tells it.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any, TypeVar

from django.utils.translation import gettext as _

from marketplaces.choices import Scheme
from marketplaces.clients.answers import optional
from marketplaces.clients.base import Problem, StockPage, StockRow
from marketplaces.clients.http import ApiSession
from marketplaces.clients.ozon_catalogue import Catalogue
from marketplaces.clients.ozon_lists import all_pages
from marketplaces.clients.ozon_report import report_rows
from marketplaces.clients.ozon_report_file import ReportRow
from marketplaces.clients.ozon_values import name_of, needed_name, pieces, sku_of
from marketplaces.clients.ozon_warehouses import warehouse_number, warehouses
from marketplaces.errors import BadAnswer, MarketplaceError, NotAuthorised, NotFound, Refused

OWN_STOCK = "/v1/product/info/warehouse/stocks"
FBO_STOCK = "/v1/product/info/stocks-by-warehouse/fbo"
PRODUCT_INFO = "/v4/product/info/stocks"
PAGE = 1000
MOST_PROBLEMS = 200
NAMELESS = "?"

TYPES = {"fbs": Scheme.FBS, "rfbs": Scheme.REALFBS, "fbo": Scheme.FBO, "fbp": Scheme.FBP}
BY_WAREHOUSE = {"fbs": Scheme.FBS, "rfbs": Scheme.REALFBS, "fbo": Scheme.FBO}

T = TypeVar("T")
Rows = Iterator[StockRow | Problem]


@dataclass
class Reading:
    """What has come of reading so far: `open` are the schemes that no source has told yet, `faults` what kept a
    source from telling all."""

    open: set[Scheme] = field(default_factory=lambda: set(Scheme))
    faults: list[MarketplaceError] = field(default_factory=list)
    refusals: dict[str, MarketplaceError] = field(default_factory=dict)


def stock_pages(session: ApiSession, *, allowed_hosts: Collection[str]) -> Iterator[StockPage]:
    """All stock, page by page. Raises the first error that left something out, at the end."""
    with Catalogue() as catalogue:
        problems, has_report = read_report(session, catalogue, allowed_hosts)
        if problems:
            yield StockPage(source="report", rows=(), problems=problems)
        reading = Reading()
        for source, scheme in BY_WAREHOUSE.items():
            rows = fbo_rows(session) if scheme == Scheme.FBO else own_rows(session, scheme)
            yield from told(source, rows, {scheme}, reading=reading, catalogue=catalogue)
        wanted = frozenset(reading.open)
        rows = product_info_rows(session, wanted)
        yield from told("product_info", rows, wanted, reading=reading, catalogue=catalogue)
        wanted = frozenset(reading.open - {Scheme.FBP})
        if has_report or not wanted:
            rows = rows_of_report(catalogue, wanted)
            is_whole = not problems or not wanted
            yield from told("report", rows, wanted, reading=reading, catalogue=catalogue, is_whole=is_whole)
        yield from emptied(reading)
    if reading.open - {Scheme.FBP}:
        # Nothing could tell of these schemes: the first refusal says why.
        raise next(iter(reading.refusals.values()))
    if reading.faults:
        raise reading.faults[0]


def told(
    source: str,
    rows: Rows,
    schemes: Collection[Scheme],
    *,
    reading: Reading,
    catalogue: Catalogue,
    is_whole: bool = True,
) -> Iterator[StockPage]:
    """The pages of one source, and what came of it. One that failed in its middle has its schemes all the same: half
    of another source beside half of this one would count pieces twice. Raises NotAuthorised for refused keys."""
    has_begun = False
    try:
        for page in in_pages(rows):
            found, problems = once(page)
            is_whole = is_whole and all(problem.item != NAMELESS for problem in problems)
            has_begun = True
            yield StockPage(source=source, rows=catalogue.named(found), problems=problems)
    except MarketplaceError as error:
        if is_not_allowed(error) and not has_begun:
            reading.refusals[source] = error
            return
        reading.faults.append(error)
        is_whole = False
    reading.open -= set(schemes)
    if is_whole:
        # Behind a row that does not even tell its SKU stands one that would be taken for gone.
        yield StockPage(source=source, rows=(), is_last=True)


def emptied(reading: Reading) -> Iterator[StockPage]:
    """Sources that were refused and whose scheme another one has told now: what they once said does not hold."""
    for source in reading.refusals:
        covered = {BY_WAREHOUSE[source]} if source in BY_WAREHOUSE else set(Scheme) - {Scheme.FBP}
        if not covered & reading.open:
            yield StockPage(source=source, rows=(), is_last=True)


def is_not_allowed(error: MarketplaceError) -> bool:
    """Whether the key may not ask this, or Ozon does not have it any more. Raises the error if the key as such is
    refused: nothing else would be answered either."""
    if isinstance(error, NotAuthorised) and error.status == 401:
        raise error
    return isinstance(error, NotAuthorised | NotFound)


def read_report(
    session: ApiSession, catalogue: Catalogue, allowed_hosts: Collection[str]
) -> tuple[list[Problem], bool]:
    """Fills the catalogue; returns what is wrong with the report, and whether all of it came. Stock is told without
    names rather than not at all."""
    problems: list[Problem] = []
    left_out = 0

    def good_rows() -> Iterator[ReportRow]:
        nonlocal left_out
        for row in report_rows(session, allowed_hosts=allowed_hosts):
            if isinstance(row, ReportRow):
                yield row
                continue
            left_out += 1
            if len(problems) < MOST_PROBLEMS:
                problems.append(row)

    try:
        catalogue.add(good_rows())
        is_whole = True
    except MarketplaceError as error:
        is_not_allowed(error)
        problems.append(Problem(item="report", reason=str(error)))
        is_whole = False
    if left_out > MOST_PROBLEMS:
        reason = _("%(number)d more lines can't be read.") % {"number": left_out - MOST_PROBLEMS}
        problems.append(Problem(item="report", reason=reason))
    return problems, is_whole


# --- the rows of each source -------------------------------------------------------------------------


def own_rows(session: ApiSession, scheme: Scheme) -> Rows:
    for warehouse in warehouses(session):
        if warehouse.scheme != scheme:
            continue
        read = partial(
            stock_row,
            source="rfbs" if scheme == Scheme.REALFBS else "fbs",
            stock_type=scheme,
            warehouse_id=warehouse.id,
            warehouse=warehouse.name,
        )
        request = {"warehouse_id": warehouse_number(warehouse.id), "limit": PAGE}
        try:
            for page in all_pages(session, OWN_STOCK, rows="stocks", request=request):
                yield from readable(page, read)
        except Refused:
            # An archived warehouse may be listed, and yet not be asked.
            if warehouse.is_active:
                raise


def fbo_rows(session: ApiSession) -> Rows:
    for page in all_pages(session, FBO_STOCK, rows="products", request={"limit": PAGE}):
        yield from readable(page, partial(stock_row, source="fbo", stock_type=Scheme.FBO))


def stock_row(row: Any, *, source: str, stock_type: Scheme, warehouse_id: str = "", warehouse: str = "") -> StockRow:
    """A row of a warehouse; of the one that it names itself, where the list is not of one. Raises BadAnswer."""
    return StockRow(
        sku=sku_of(row),
        source=source,
        stock_type=stock_type,
        present=pieces(row, "present"),
        reserved=pieces(row, "reserved"),
        warehouse_id=warehouse_id or needed_name(row, "warehouse_id"),
        warehouse=warehouse,
    )


def product_info_rows(session: ApiSession, wanted: Collection[Scheme]) -> Rows:
    request = {"filter": {"visibility": "ALL"}, "limit": PAGE}
    for page in all_pages(session, PRODUCT_INFO, rows="items", request=request):
        for item in readable(page, partial(product_rows, wanted=wanted)):
            if isinstance(item, Problem):
                yield item
            else:
                yield from item


def product_rows(product: Any, *, wanted: Collection[Scheme]) -> list[StockRow]:
    """One row per scheme: boxes and pallets are the same pieces' other wrappings. Raises BadAnswer."""
    stocks = optional(product, "stocks", list) or []
    if not [stock for stock in stocks if not is_told_elsewhere(stock, wanted)]:
        return []
    sku = sku_of(product)
    sums: dict[Scheme, tuple[int, int]] = {}
    for stock in stocks:
        scheme = TYPES.get(name_of(stock, "type").lower())
        if scheme is None:
            raise BadAnswer(_("Unknown kind of stock: %(type)s.") % {"type": name_of(stock, "type")[:40] or "?"})
        present, reserved = sums.get(scheme, (0, 0))
        sums[scheme] = (present + pieces(stock, "present"), reserved + pieces(stock, "reserved"))
    return [
        StockRow(sku=sku, source="product_info", stock_type=scheme, present=present, reserved=reserved)
        for scheme, (present, reserved) in sums.items()
        if scheme in wanted
    ]


def is_told_elsewhere(stock: Any, wanted: Collection[Scheme]) -> bool:
    """Whether this is of a scheme that nobody asks about here: as nearly all are, where the warehouses have told."""
    kind = stock.get("type") if isinstance(stock, dict) else None
    return isinstance(kind, str) and kind in TYPES and TYPES[kind] not in wanted


def rows_of_report(catalogue: Catalogue, wanted: Collection[Scheme]) -> Rows:
    for line in catalogue.rows() if wanted else ():
        for scheme, (free, reserved) in counts_of(line).items():
            if scheme in wanted:
                yield StockRow(
                    sku=line.sku, source="report", stock_type=scheme, present=free + reserved, reserved=reserved
                )


def counts_of(line: ReportRow) -> dict[Scheme, tuple[int, int]]:
    """What is free and what is reserved. The report does not divide the seller's reserve: it stands with FBS, unless
    only realFBS has something."""
    is_real = bool(line.rfbs and not line.fbs)
    return {
        Scheme.FBS: (line.fbs, 0 if is_real else line.own_reserved),
        Scheme.REALFBS: (line.rfbs, line.own_reserved if is_real else 0),
        Scheme.FBO: (line.fbo, line.fbo_reserved),
    }


def readable(rows: Iterable[Any], read: Callable[[Any], T]) -> Iterator[T | Problem]:
    """Each row as read, or what is wrong with it."""
    for row in rows:
        try:
            yield read(row)
        except BadAnswer as wrong:
            yield Problem(item=name_of(row, "offer_id") or NAMELESS, reason=str(wrong))


def in_pages(rows: Rows) -> Iterator[list[StockRow | Problem]]:
    while page := list(islice(rows, PAGE)):
        yield page


def once(page: Iterable[StockRow | Problem]) -> tuple[list[StockRow], list[Problem]]:
    """Rows and problems apart; of a row that was told twice, what was said last."""
    rows: dict[tuple[str, str, Scheme], StockRow] = {}
    problems: list[Problem] = []
    for item in page:
        if isinstance(item, Problem):
            problems.append(item)
        else:
            rows[(item.sku, item.warehouse_id, item.stock_type)] = item
    return list(rows.values()), problems
