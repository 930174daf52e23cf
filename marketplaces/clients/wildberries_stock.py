"""Stock on Wildberries: in its own warehouses (a report), and in the seller's, where the shop sets it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from marketplaces.choices import Scheme
from marketplaces.clients.answers import need, optional
from marketplaces.clients.base import Problem, PushResult, QuantityChange, StockPage, StockRow
from marketplaces.clients.faults import words_of
from marketplaces.clients.http import ApiSession
from marketplaces.clients.parts import parts_of
from marketplaces.errors import BadAnswer, MarketplaceError, NotAuthorised, RateLimited, Refused

# The report gives up to 250,000 rows at once, but the process should stay small.
ROWS_A_PAGE = 20_000
SKUS_A_CALL = 1000
LARGEST_QUANTITY = 100_000
FBS_WAREHOUSE = 1
BLOCKED_FOR = 300.0
FAILED_FOR = 60.0


class StockReader:
    """Reads and sets the stock of one account. `known_skus` are those that are asked for in the seller's own
    warehouses: Wildberries does not list them."""

    def __init__(
        self,
        *,
        marketplace: ApiSession,
        analytics: ApiSession,
        known_skus: Callable[[], Iterable[str]],
        usual_warehouse: str,
    ) -> None:
        self.marketplace = marketplace
        self.analytics = analytics
        self.known_skus = known_skus
        self.usual_warehouse = usual_warehouse

    # --- reading ----------------------------------------------------------------------------------------

    def pages(self) -> Iterator[StockPage]:
        chrt_ids: set[int] = set()
        try:
            for page in self.in_wb_warehouses():
                chrt_ids.update(int(row.sku) for row in page.rows)
                yield page
        except (NotAuthorised, Refused) as error:
            # A token for orders and stock need not be one for analytics. What is known of these rows stays.
            yield StockPage(source="wb", rows=(), problems=[Problem(_("Wildberries' warehouses"), str(error))])
        chrt_ids.update(int(sku) for sku in self.known_skus() if sku.isascii() and sku.isdecimal())
        yield from self.in_own_warehouses(sorted(chrt_ids))

    def in_wb_warehouses(self) -> Iterator[StockPage]:
        offset = 0
        while True:
            answer = self.analytics.call(
                "POST",
                "/api/analytics/v1/stocks-report/wb-warehouses",
                json={"limit": ROWS_A_PAGE, "offset": offset},
                is_safe=True,
            ).data
            items = need(answer, "data.items", list)
            rows, problems = read_rows(items, wb_row)
            is_last = len(items) < ROWS_A_PAGE
            yield StockPage(source="wb", rows=rows, problems=problems, is_last=is_last)
            if is_last:
                return
            offset += len(items)

    def in_own_warehouses(self, chrt_ids: Sequence[int]) -> Iterator[StockPage]:
        for warehouse in self.warehouses():
            if optional(warehouse, "isDeleting", bool):
                continue
            warehouse_id = need(warehouse, "id", int)
            name = optional(warehouse, "name", str) or ""
            is_fbs = (optional(warehouse, "deliveryType", int) or FBS_WAREHOUSE) == FBS_WAREHOUSE
            scheme = Scheme.FBS if is_fbs else Scheme.REALFBS

            def own_row(
                item: Mapping[str, Any], warehouse_id: int = warehouse_id, name: str = name, scheme: Scheme = scheme
            ) -> StockRow:
                return StockRow(
                    sku=str(need(item, "chrtId", int)),
                    source="own",
                    stock_type=scheme,
                    present=need(item, "amount", int),
                    warehouse_id=str(warehouse_id),
                    warehouse=name,
                )

            for part in parts_of(chrt_ids, SKUS_A_CALL):
                rows, problems = read_rows(self.stocks(str(warehouse_id), part), own_row)
                yield StockPage(source="own", rows=rows, problems=problems)
        yield StockPage(source="own", rows=(), is_last=True)

    def warehouses(self) -> list[Any]:
        """The seller's own warehouses."""
        answer = self.marketplace.call("GET", "/api/v3/warehouses", is_safe=True).data
        if not isinstance(answer, list):
            raise BadAnswer(_("The list of warehouses is no list."))
        return answer

    def stocks(self, warehouse_id: str, chrt_ids: Sequence[int]) -> list[Any]:
        answer = self.marketplace.call(
            "POST", f"/api/v3/stocks/{warehouse_id}", json={"chrtIds": list(chrt_ids)}, is_safe=True
        )
        return need(answer.data, "stocks", list)

    def quantities(self, changes: Sequence[QuantityChange]) -> dict[str, int]:
        """See MarketplaceClient.quantities."""
        found: dict[str, int] = {}
        for warehouse_id, of_warehouse in self.by_warehouse(changes).items():
            wanted = [int(change.sku) for change in of_warehouse if is_chrt_id(change.sku)]
            for part in parts_of(wanted, SKUS_A_CALL) if warehouse_id else ():
                for item in self.stocks(warehouse_id, part):
                    found[str(need(item, "chrtId", int))] = need(item, "amount", int)
        return found

    # --- writing ----------------------------------------------------------------------------------------

    def set_quantities(self, changes: Sequence[QuantityChange]) -> list[PushResult]:
        """See MarketplaceClient.set_quantities. An answer without error says nothing: fields that Wildberries does
        not know are passed over silently, so what was taken has to be read back."""
        results: list[PushResult] = []
        for warehouse_id, of_warehouse in self.by_warehouse(changes).items():
            writable = []
            for change in of_warehouse:
                if not warehouse_id:
                    results.append(refused(change, _("The account names no warehouse for quantities.")))
                elif not is_chrt_id(change.sku):
                    results.append(refused(change, _("Wildberries' SKUs are numbers (chrtId).")))
                else:
                    writable.append(change)
            for part in parts_of(writable, SKUS_A_CALL):
                try:
                    results += self.put(warehouse_id, part)
                except NotAuthorised:
                    raise
                except MarketplaceError as error:
                    # What was written before is said; where nothing was, the caller hears of the fault itself.
                    if not any(result.is_taken for result in results):
                        raise
                    wait = error.retry_after if isinstance(error, RateLimited) else FAILED_FOR
                    results += [refused(change, str(error), retry_after=wait) for change in part]
        return results

    def put(self, warehouse_id: str, changes: list[QuantityChange]) -> list[PushResult]:
        stocks = [
            {"chrtId": int(change.sku), "amount": min(max(change.quantity, 0), LARGEST_QUANTITY)} for change in changes
        ]
        answer = self.marketplace.call(
            "PUT",
            f"/api/v3/stocks/{warehouse_id}",
            json={"stocks": stocks},
            # The same quantities twice are the same quantities.
            is_safe=True,
            accept=(200, 204, 400, 404, 406, 409),
        )
        if answer.status < 400:
            return [PushResult(change.sku, is_taken=True) for change in changes]
        code, text = words_of(answer.data)
        if answer.status == 409:
            return self.put_without_refused(warehouse_id, changes, answer.data)
        wait = BLOCKED_FOR if code == "WarehouseStocksUpdateBlock" else None
        return [refused(change, text or code or str(answer.status), retry_after=wait) for change in changes]

    def put_without_refused(self, warehouse_id: str, changes: list[QuantityChange], errors: Any) -> list[PushResult]:
        """A refusal names the SKUs that it is about; whether the others were taken it does not say, so they are sent
        again. Where it names none of ours (by barcode, for instance), the halves tell which it was."""
        reasons = reasons_by_sku(errors)
        named = [change for change in changes if change.sku in reasons]
        rest = [change for change in changes if change.sku not in reasons]
        results = [refused(change, reasons[change.sku]) for change in named]
        if named:
            return results + (self.put(warehouse_id, rest) if rest else [])
        if len(changes) == 1:
            code, text = words_of(errors)
            return [refused(changes[0], text or code or "409")]
        middle = len(changes) // 2
        return self.put(warehouse_id, changes[:middle]) + self.put(warehouse_id, changes[middle:])

    def by_warehouse(self, changes: Sequence[QuantityChange]) -> dict[str, list[QuantityChange]]:
        groups: dict[str, list[QuantityChange]] = {}
        for change in changes:
            groups.setdefault(change.warehouse_id or self.usual_warehouse, []).append(change)
        return groups


def wb_row(item: Mapping[str, Any]) -> StockRow:
    return StockRow(
        sku=str(need(item, "chrtId", int)),
        source="wb",
        stock_type=Scheme.FBO,
        present=need(item, "quantity", int),
        in_way_to_client=need(item, "inWayToClient", int),
        in_way_from_client=need(item, "inWayFromClient", int),
        warehouse_id=str(need(item, "warehouseId", int)),
        warehouse=optional(item, "warehouseName", str) or "",
    )


def read_rows(
    items: Sequence[Any], read: Callable[[Mapping[str, Any]], StockRow]
) -> tuple[list[StockRow], list[Problem]]:
    rows, problems = [], []
    for item in items:
        try:
            rows.append(read(item))
        except BadAnswer as error:
            chrt_id = item.get("chrtId", "?") if isinstance(item, Mapping) else "?"
            problems.append(Problem(str(chrt_id), str(error)))
    return rows, problems


def reasons_by_sku(errors: Any) -> dict[str, str]:
    """Why each SKU was refused, from [{code, message, data: [{chrtId or sku, amount}]}]."""
    reasons: dict[str, str] = {}
    for error in errors if isinstance(errors, list) else [errors]:
        data = error.get("data") if isinstance(error, Mapping) else None
        code, text = words_of(error)
        for item in data if isinstance(data, list) else []:
            if isinstance(item, Mapping):
                reasons[str(item.get("chrtId") or item.get("sku"))] = text or code
    return reasons


def refused(change: QuantityChange, reason: str, *, retry_after: float | None = None) -> PushResult:
    return PushResult(change.sku, is_taken=False, reason=reason, retry_after=retry_after)


def is_chrt_id(sku: str) -> bool:
    return sku.isascii() and sku.isdecimal()
