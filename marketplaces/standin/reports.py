"""Ozon's reports: ordered, made for a while, fetched as a CSV file."""

import csv
import io
from typing import Any

from marketplaces.standin.clock import iso
from marketplaces.standin.messages import Answer, Request
from marketplaces.standin.ozon import asks, error, routes
from marketplaces.standin.ozon_stock import sums_by_scheme
from marketplaces.standin.routing import Routes
from marketplaces.standin.sellers import Seller
from marketplaces.standin.world import DAY, World

# The files lie on another host of Ozon's and need no key.
files = Routes("/ozon-files")

DAYS_KEPT = 3
# The names of the interface's description; a file has more columns than anybody reads.
COLUMNS = (
    "Артикул",
    "Ozon Product ID",
    "SKU",
    "Barcode",
    "Название товара",
    "Статус товара",
    "Доступно к продаже по схеме FBO, шт.",
    "Зарезервировано, шт",
    "Доступно к продаже по схеме FBS, шт.",
    "Доступно к продаже по схеме realFBS, шт.",
    "Зарезервировано на моих складах, шт",
    "Текущая цена с учетом скидки, ₽",
)


@routes.post("/v1/report/products/create")
@asks
def create(world: World, _request: Request, seller: Seller, _wanted: dict[str, Any]) -> Answer:
    number = world.numbers.next("report", start=1_700_000_000)
    code = f"REPORT_seller_products_{seller.keys['client_id']}_{number}"
    now = world.clock.now()
    # It waits, then it is made, then it is there.
    world.keep(
        "report",
        code,
        {"seller": seller.id, "created_at": now, "done_at": now + world.options.settle, "polls": 0, "fails": False},
    )
    return Answer(200, {"result": {"code": code}})


@routes.post("/v1/report/info")
@asks
def info(world: World, request: Request, seller: Seller, wanted: dict[str, Any]) -> Answer:
    code = str(wanted["code"])
    record = world.shelf("report").get(code)
    now = world.clock.now()
    if record is None or record["seller"] != seller.id or record["created_at"] + DAYS_KEPT * DAY < now:
        return error(404, 5, "Report not found")
    record["polls"] += 1
    world.keep("report", code, record)
    status = (
        "success"
        if record["polls"] > 2 and record["done_at"] <= now
        else "waiting"
        if record["polls"] == 1
        else "processing"
    )
    if record["fails"] and status == "success":
        status = "failed"
    result: dict[str, Any] = {
        "code": code,
        "status": status,
        "error": "INTERNAL_ERROR" if status == "failed" else "",
        "file": f"{request.base_url}/ozon-files/{code}.csv" if status == "success" else "",
        "report_type": "SELLER_PRODUCTS",
        "params": {},
        "created_at": iso(record["created_at"]),
        "expires_at": iso(record["created_at"] + DAYS_KEPT * DAY),
    }
    return Answer(200, {"result": result})


@files.get("/{name}")
def file(world: World, _request: Request, _seller: Seller | None, name: str) -> Answer:
    """The report of a seller's goods as Ozon writes it: semicolons, a mark of the encoding, an apostrophe before the
    article."""
    record = world.shelf("report").get(name.removesuffix(".csv"))
    if record is None:
        return Answer(404, "Not Found", media="text/plain")
    seller = world.sellers[record["seller"]]
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(COLUMNS)
    for offer in seller.offers.values():
        sums = sums_by_scheme(seller, offer)
        (fbo, fbo_held), (fbs, fbs_held), (rfbs, rfbs_held) = (
            sums.get(type_, (0, 0)) for type_ in ("fbo", "fbs", "rfbs")
        )
        writer.writerow(
            [
                f"'{offer.sku}",
                offer.product_id,
                offer.number,
                offer.barcode,
                offer.name,
                "Продается",
                fbo - fbo_held,
                fbo_held,
                fbs - fbs_held,
                rfbs - rfbs_held,
                fbs_held + rfbs_held,
                offer.price,
            ]
        )
    return Answer(200, "\ufeff" + text.getvalue(), media="text/csv; charset=utf-8")
