"""Ozon's stock: five answers that overlap, told once; and the report's file, however it comes."""

from collections.abc import Iterator
from typing import Any

import pytest

from marketplaces.choices import Scheme
from marketplaces.clients.base import Problem, StockPage, StockRow
from marketplaces.clients.ozon_report import CREATE, INFO
from marketplaces.clients.ozon_report_file import ReportRow, read_report
from marketplaces.clients.ozon_stock import FBO_STOCK, OWN_STOCK, PRODUCT_INFO, stock_pages
from marketplaces.clients.ozon_warehouses import LIST as WAREHOUSES
from marketplaces.errors import BadAnswer, MarketplaceError, NotAuthorised, ServerError
from tests.marketplaces.faulty_server import FaultyServer, Reply
from tests.marketplaces.ozon_answers import FORBIDDEN, answer, asked, no_waiting, ozon_server, ozon_session

pytestmark = pytest.mark.django_db

FILE = "/reports/products.csv"
HEADER = (
    "Артикул;Ozon Product ID;SKU;Barcode;Название товара;Доступно к продаже по схеме FBO, шт.;Зарезервировано, шт;"
    "Доступно к продаже по схеме FBS, шт.;Доступно к продаже по схеме realFBS, шт.;"
    "Зарезервировано на моих складах, шт;Текущая цена с учетом скидки, ₽"
)
LINES = [
    HEADER,
    '"\'A";1;11;OZN11;"Улун ""молочный""; 100 г";3;1;7;0;2;129.90',
    "'B;2;12;OZN12,4601234567890;Пуэр;0;0;0;4;1;99",
]
WHOLE = [
    ReportRow("A", 'Улун "молочный"; 100 г', "OZN11", fbo=3, fbo_reserved=1, fbs=7, own_reserved=2),
    ReportRow("B", "Пуэр", "4601234567890", rfbs=4, own_reserved=1),
]
SHOP, COURIER, OLD = (
    {"warehouse_id": 17, "name": "Shop", "is_rfbs": False, "status": "created"},
    {"warehouse_id": 19, "name": "Courier", "is_rfbs": True, "status": "created"},
    {"warehouse_id": 20, "name": "Old", "is_rfbs": False, "status": "disabled"},
)


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with ozon_server() as running:
        yield running


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    return no_waiting(monkeypatch)


# --- the file ----------------------------------------------------------------------------------------


def in_bits(content: bytes, size: int = 7) -> Iterator[bytes]:
    """As a slow network brings it: cut in the middle of letters."""
    return (content[start : start + size] for start in range(0, len(content), size))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-8", "cp1251"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_report_is_read_in_any_encoding_while_it_comes(encoding: str, end: str) -> None:
    content = end.join(LINES).replace("₽", "руб.").encode(encoding)
    assert list(read_report(in_bits(content))) == WHOLE


def test_english_columns_and_commas_are_read_too() -> None:
    content = (
        'Article,Product name,Barcode,"Available for sale under FBO, pcs","Reserved, pcs",'
        '"Available for sale under FBS, pcs","Available for sale under realFBS, pcs","Reserved in my warehouses, pcs"\n'
        "A,Oolong,46,3,1,7,0,2\n"
    )
    assert list(read_report([content.encode()])) == [
        ReportRow("A", "Oolong", "46", fbo=3, fbo_reserved=1, fbs=7, own_reserved=2)
    ]


def test_a_line_that_cannot_be_read_is_listed_and_the_rest_goes_on() -> None:
    bad = ["'C;1;2", "'D;1;1;;Чай;three;0;0;0;0;1", "'E;1;1;;Чай;-4;0;0;0;0;1", ";1;1;;Чай;0;0;0;0;0;1"]
    found = list(read_report(["\n".join([*LINES[:2], *bad, LINES[2]]).encode()]))
    assert [row for row in found if isinstance(row, ReportRow)] == WHOLE
    problems = [row for row in found if isinstance(row, Problem)]
    assert [problem.item for problem in problems] == [f"line {number} of the report" for number in (3, 4, 5, 6)]
    assert "three" in problems[1].reason


def test_what_is_no_such_file_is_not_read() -> None:
    for content in (b"", b"PK\x03\x04 a spreadsheet", b"<html>Sign in</html>", "Артикул;Название товара\nA;B".encode()):
        with pytest.raises(BadAnswer):
            list(read_report([content]))
    with pytest.raises(BadAnswer):
        list(read_report(b"x" * 65536 for _piece in range(100)))


# --- the sources -------------------------------------------------------------------------------------


def lay_report(server: FaultyServer, *lines: str) -> None:
    answer(server, CREATE, {"result": {"code": "R1"}})
    made = {"code": "R1", "status": "success", "error": "", "file": f"{server.url}{FILE}"}
    answer(server, INFO, {"result": {"code": "R1", "status": "waiting", "file": ""}}, {"result": made})
    server.answer_at("GET", FILE, Reply(body="\n".join(lines or LINES).encode("utf-8-sig")))


def own(sku: str, present: Any, reserved: Any = 0) -> dict[str, Any]:
    return {"offer_id": sku, "sku": 1, "product_id": 1, "present": present, "reserved": reserved, "free_stock": 0}


def lay_warehouses(server: FaultyServer, *warehouses: dict[str, Any]) -> None:
    answer(server, WAREHOUSES, {"warehouses": list(warehouses), "cursor": "", "has_next": False})


def list_of(name: str, *rows: Any, cursor: str = "") -> dict[str, Any]:
    return {name: list(rows), "cursor": cursor, "has_next": bool(cursor)}


def lay_all(server: FaultyServer) -> None:
    """Every source may be asked."""
    lay_report(server)
    lay_warehouses(server, SHOP, COURIER)
    answer(server, OWN_STOCK, list_of("stocks", own("A", 9, 2)), list_of("stocks", own("B", 5, 1)))
    answer(server, FBO_STOCK, list_of("products", {"offer_id": "A", "warehouse_id": 900, "present": 4, "reserved": 1}))
    stocks = [{"type": type_, "present": 9, "reserved": 2} for type_ in ("fbs", "fbo", "fbp")]
    answer(server, PRODUCT_INFO, {"items": [{"offer_id": "A", "stocks": stocks}], "cursor": "", "total": 1})


def told(server: FaultyServer) -> list[StockPage]:
    return list(stock_pages(ozon_session(server), allowed_hosts=["cdn1.ozone.ru"]))


def rows_of(pages: list[StockPage]) -> list[StockRow]:
    return [row for page in pages for row in page.rows]


def complete(pages: list[StockPage]) -> set[str]:
    return {page.source for page in pages if page.is_last}


def test_each_scheme_is_told_by_its_warehouses_and_no_piece_twice(server: FaultyServer) -> None:
    lay_all(server)
    pages = told(server)
    names = {"A": ('Улун "молочный"; 100 г', "OZN11"), "B": ("Пуэр", "4601234567890")}
    expected = [
        ("A", "fbs", Scheme.FBS, 9, 2, "17", "Shop"),
        ("B", "rfbs", Scheme.REALFBS, 5, 1, "19", "Courier"),
        ("A", "fbo", Scheme.FBO, 4, 1, "900", ""),
        ("A", "product_info", Scheme.FBP, 9, 2, "", ""),
    ]
    figures = [
        (row.sku, row.source, row.stock_type, row.present, row.reserved, row.warehouse_id, row.warehouse)
        for row in rows_of(pages)
    ]
    assert figures == expected
    assert {row.sku: (row.name, row.barcode) for row in rows_of(pages)} == names
    assert complete(pages) == {"fbs", "rfbs", "fbo", "product_info", "report"}


def test_what_the_key_may_not_ask_is_told_by_the_next_best(server: FaultyServer) -> None:
    lay_all(server)
    answer(server, FBO_STOCK, FORBIDDEN)
    pages = told(server)
    assert [(row.source, row.stock_type) for row in rows_of(pages)] == [
        ("fbs", Scheme.FBS),
        ("rfbs", Scheme.REALFBS),
        ("product_info", Scheme.FBO),
        ("product_info", Scheme.FBP),
    ]
    # The rows that Ozon's warehouses once told are emptied: their pieces stand in the other source now.
    assert complete(pages) == {"fbs", "rfbs", "fbo", "product_info", "report"}


def test_where_only_the_report_may_be_asked_it_is_the_stock(server: FaultyServer) -> None:
    lay_all(server)
    for path in (WAREHOUSES, FBO_STOCK, PRODUCT_INFO):
        answer(server, path, FORBIDDEN)
    pages = told(server)
    assert [(row.sku, row.stock_type, row.present, row.reserved) for row in rows_of(pages)] == [
        ("A", Scheme.FBS, 9, 2),
        ("A", Scheme.REALFBS, 0, 0),
        ("A", Scheme.FBO, 4, 1),
        ("B", Scheme.FBS, 0, 0),
        ("B", Scheme.REALFBS, 5, 1),
        ("B", Scheme.FBO, 0, 0),
    ]
    assert {row.source for row in rows_of(pages)} == {"report"}


def test_where_nothing_may_be_asked_nothing_is_emptied(server: FaultyServer) -> None:
    lay_all(server)
    for path in (WAREHOUSES, FBO_STOCK, PRODUCT_INFO, CREATE):
        answer(server, path, FORBIDDEN)
    pages: list[StockPage] = []
    with pytest.raises(NotAuthorised):
        pages.extend(stock_pages(ozon_session(server), allowed_hosts=[]))
    assert rows_of(pages) == []
    assert complete(pages) == set()


def test_a_source_that_breaks_off_keeps_its_rows_and_the_others_are_told(server: FaultyServer) -> None:
    lay_all(server)
    answer(server, OWN_STOCK, list_of("stocks", own("A", 9, 2), cursor="2"), Reply(503, {"message": "later"}))
    pages: list[StockPage] = []
    with pytest.raises(ServerError):
        pages.extend(stock_pages(ozon_session(server), allowed_hosts=[]))
    assert [row.source for row in rows_of(pages)] == ["fbo", "product_info"]
    assert complete(pages) == {"fbo", "product_info", "report"}


def test_rows_that_cannot_be_are_listed_by_their_sku(server: FaultyServer) -> None:
    lay_all(server)
    lay_warehouses(server, SHOP)
    rows = [own("A", "9", "2"), own("C", -1), own("D", "many"), own("E", None), own("F", 2**40), own("", 3), "?"]
    answer(server, OWN_STOCK, Reply(body=list_of("stocks", *rows)))
    pages = told(server)
    assert [(row.sku, row.present) for row in rows_of(pages) if row.source == "fbs"] == [("A", 9)]
    problems = [problem.item for page in pages if page.source == "fbs" for problem in page.problems]
    assert problems == ["C", "D", "E", "F", "?", "?"]
    # Nobody knows which SKU the last two are: so nothing is taken for gone.
    assert complete(pages) == {"rfbs", "fbo", "product_info", "report"}


def test_an_archived_warehouse_that_cannot_be_asked_stops_nothing(server: FaultyServer) -> None:
    lay_all(server)
    lay_warehouses(server, SHOP, OLD)
    refusal = Reply(400, {"code": 3, "message": "WAREHOUSE_NOT_FOUND"})
    answer(server, OWN_STOCK, list_of("stocks", own("A", 9, 2)), refusal)
    pages = told(server)
    assert [request["warehouse_id"] for request in asked(server, OWN_STOCK)] == [17, 20]
    assert "fbs" in complete(pages)


@pytest.mark.parametrize(
    "address", ["https://evil.example/report.csv", "http://cdn1.ozone.ru/report.csv", "file:///etc/passwd"]
)
def test_a_file_at_an_address_that_is_not_allowed_is_not_fetched_and_the_stock_comes_without_names(
    server: FaultyServer, address: str
) -> None:
    lay_all(server)
    answer(server, INFO, {"result": {"code": "R1", "status": "success", "file": address}})
    pages = told(server)
    assert [problem.item for page in pages for problem in page.problems] == ["report"]
    assert {row.name for row in rows_of(pages)} == {""}
    assert len(rows_of(pages)) == 4


@pytest.mark.parametrize(
    "result", [{"code": "R1", "status": "failed", "error": "no"}, {"code": "R1", "status": "processing"}]
)
def test_a_report_that_is_not_made_is_not_waited_for_forever(
    server: FaultyServer, pauses: list[float], result: dict[str, Any]
) -> None:
    lay_all(server)
    answer(server, INFO, {"result": result})
    pages = told(server)
    assert [problem.item for page in pages for problem in page.problems] == ["report"]
    assert sum(pauses) < 310


def test_a_file_that_is_cut_off_names_what_had_come(server: FaultyServer) -> None:
    lay_all(server)
    content = "\n".join([*LINES, *(f"'C{number};1;1;;Чай;0;0;0;0;0;1" for number in range(5000))]).encode()
    server.answer_at("GET", FILE, Reply(body=content, cut=len(content) - 1000))
    pages = told(server)
    assert [problem.item for page in pages for problem in page.problems] == ["report"]
    assert {row.barcode for row in rows_of(pages)} == {"OZN11", "4601234567890"}


def test_a_refused_key_stops_at_once(server: FaultyServer) -> None:
    lay_all(server)
    answer(server, CREATE, Reply(401, {"code": 16, "message": "Client-Id and Api-Key headers are required"}))
    with pytest.raises(MarketplaceError):
        told(server)
    assert len(server.received) == 1
