"""The doors of purchasing: suppliers and drafts are for managers, a delivery is received by all who work here."""

from typing import Any

from inventory.models import Ingredient, Supplier
from tests.inventory.deliveries import Deliveries, line_of
from tests.project.admin_doors import MANAGERS, NOBODY, STAFF, Keys, deed, lines, page, records, verb
from tests.shop import Shop


def purchases(bar: Shop, milk: Ingredient, sugar: Ingredient) -> dict[str, Any]:
    """A supplier with packs, and an order of each kind that has doors of its own."""
    dairy = Deliveries(bar)
    case, bag = dairy.pack(milk, 12000, "600.00"), dairy.pack(sugar, 1000, "30.00", name="bag")
    partly, ordered = dairy.ordered((case, 2)), dairy.ordered((case, 2))
    dairy.receive(partly, {milk: 1})
    return {
        "supplier": dairy.supplier,
        "spare_supplier": Supplier.objects.create(name="Farm"),
        "case": case,
        "bag": bag,
        "drafted": dairy.draft((case, 1)),
        "ordered": ordered,
        "ordered_line": line_of(ordered, milk),
        "partly": partly,
    }


def ordered(it: Keys) -> dict[str, Any]:
    return {"location": it["main_street"], **lines("lines", {"pack": it["case"], "packs": "3", "price": ""})}


def suggested(it: Keys) -> dict[str, Any]:
    return lines("lines", {"ingredient": it["sugar"], "pack": it["bag"], "packs": "1"})


def delivered(it: Keys) -> dict[str, Any]:
    came = {"what": f"line:{it['ordered_line']}", "amount": "1", "unit": "packs"}
    return {"expected_receipts": "0", **lines("lines", came)}


def supplier(it: Keys) -> dict[str, Any]:
    return {"name": "Orchard", "is_active": "on", **lines("packs")}


ROOT = "inventory/purchaseorder/"
NEW, SUGGESTIONS = f"{ROOT}new/?supplier={{supplier}}", f"{ROOT}suggestions/"
DRAFTED, ORDERED, PARTLY = f"{ROOT}{{drafted}}/", f"{ROOT}{{ordered}}/", f"{ROOT}{{partly}}/"
ANY_ORDER = f"{ROOT}*/change/"

PURCHASING = [
    records(
        "inventory/supplier",
        "supplier",
        see=MANAGERS,
        add=MANAGERS,
        change=MANAGERS,
        delete=MANAGERS,
        form=supplier,
        spare="spare_supplier",
    ),
    records("inventory/purchaseorder", "ordered", see=STAFF, without=["add"], form=lambda it: {"comment": "no"}),
    page(f"{ROOT}add/", MANAGERS, then=f"{ROOT}new/"),
    page(NEW, MANAGERS, deed(NEW, MANAGERS, "draft", ordered, then=ANY_ORDER)),
    page(SUGGESTIONS, MANAGERS, deed(SUGGESTIONS, MANAGERS, "draft", suggested, then=ANY_ORDER)),
    page(f"{DRAFTED}edit/", MANAGERS, deed(f"{DRAFTED}edit/", MANAGERS, "edit", ordered, then=f"{DRAFTED}change/")),
    page(f"{ORDERED}edit/", MANAGERS, then=f"{ORDERED}change/"),
    page(
        f"{ORDERED}receive/",
        STAFF,
        deed(f"{ORDERED}receive/", STAFF, "receive", delivered, then=f"{ORDERED}change/"),
    ),
    page(f"{ORDERED}print/", STAFF, post=405),
    verb(DRAFTED, MANAGERS, "order"),
    verb(ORDERED, MANAGERS, "cancel", asks=True),
    verb(PARTLY, STAFF, "close", asks=True),
    page(f"{ORDERED}verb/vanish/", NOBODY, refused=404),
]
