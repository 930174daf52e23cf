"""Every door of the API with every role: who may come in, who is sent away.

The routes are taken from the URLconf: one without a row here fails the test, so that nobody opens a door by
forgetting it.
"""

import uuid
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest
from django.db import transaction
from django.urls import URLPattern, URLResolver, get_resolver

from inventory.models import PurchaseOrder, StockDocument, StockLevel, Supplier
from inventory.services.counts import start_count
from inventory.services.shelves import add_shelf
from orders.models import BatchRun, Customer, Employee, LoyaltyTier, Position, PromoCode, Promotion
from orders.services.batch import start_batch
from orders.services.payroll import draft_payroll
from tests.inventory.kitchen import cook, lot_of, makes, tracked
from tests.orders import staff
from tests.orders.money import open_till, pay, refund
from tests.project.backup_doors import backups_of
from tests.project.market_accounts import accounts_of
from tests.project.market_connecting import connecting_of
from tests.project.market_listings import listings_of
from tests.project.market_operations import operations_of
from tests.project.monitoring_doors import watching_of
from tests.rest import Rest
from tests.shop import NOBODY, Shop, user_of

pytestmark = pytest.mark.slow

ANONYMOUS, CUSTOMER, BARISTA, MANAGER, ADMIN = "anonymous", "customer", "barista", "manager", "admin"
SIGNED_IN = {CUSTOMER, BARISTA, MANAGER, ADMIN}
EVERYBODY = {ANONYMOUS, *SIGNED_IN}
STAFF = {BARISTA, MANAGER, ADMIN}
MANAGERS = {MANAGER, ADMIN}
ADMINS = {ADMIN}

DOORS: dict[str, dict[str, set[str]]] = {
    "api/schema/": {"get": SIGNED_IN},
    "api/docs/": {"get": SIGNED_IN},
    "auth/token/": {"post": EVERYBODY},
    "auth/logout/": {"post": SIGNED_IN},
    "users/me/": {"get": SIGNED_IN},
    "locations/": {"get": SIGNED_IN, "post": MANAGERS},
    "locations/<int:pk>/": {"get": SIGNED_IN, "patch": MANAGERS, "delete": ADMINS},
    "categories/": {"get": SIGNED_IN, "post": MANAGERS},
    "categories/<int:pk>/": {"get": SIGNED_IN, "patch": MANAGERS, "delete": MANAGERS},
    "products/": {"get": SIGNED_IN, "post": MANAGERS},
    "products/<int:pk>/": {"get": SIGNED_IN, "patch": MANAGERS, "delete": MANAGERS},
    "products/<int:pk>/image/": {"put": MANAGERS, "post": MANAGERS, "delete": MANAGERS},
    "option-groups/": {"get": SIGNED_IN, "post": MANAGERS},
    "option-groups/<int:pk>/": {"get": SIGNED_IN, "patch": MANAGERS, "delete": MANAGERS},
    "ingredients/": {"get": STAFF, "post": MANAGERS},
    "ingredients/<int:pk>/": {"get": STAFF, "patch": MANAGERS, "delete": MANAGERS},
    "stock/": {"get": STAFF},
    "stock/<int:pk>/": {"get": STAFF, "patch": MANAGERS},
    "stock/receive/": {"post": STAFF},
    "stock/write-off/": {"post": STAFF},
    "stock/transfer/": {"post": STAFF},
    "stock/valuation/": {"get": MANAGERS},
    "stock-movements/": {"get": STAFF},
    "stock-documents/": {"get": STAFF},
    "stock-documents/<int:pk>/": {"get": STAFF},
    "stock-counts/": {"get": STAFF, "post": STAFF},
    "stock-counts/<int:pk>/": {"get": STAFF, "patch": STAFF},
    "stock-counts/<int:pk>/submit/": {"post": STAFF},
    "stock-counts/<int:pk>/reopen/": {"post": STAFF},
    "stock-counts/<int:pk>/post/": {"post": MANAGERS},
    "stock-counts/<int:pk>/cancel/": {"post": STAFF},
    "shelves/": {"get": STAFF, "post": MANAGERS},
    "shelves/<int:pk>/": {"get": STAFF, "patch": MANAGERS, "delete": MANAGERS},
    "shelves/order/": {"post": MANAGERS},
    "suppliers/": {"get": MANAGERS, "post": MANAGERS},
    "suppliers/<int:pk>/": {"get": MANAGERS, "patch": MANAGERS, "delete": MANAGERS},
    "purchase-orders/": {"get": STAFF, "post": MANAGERS},
    "purchase-orders/<int:pk>/": {"get": STAFF, "patch": MANAGERS},
    "purchase-orders/<int:pk>/order/": {"post": MANAGERS},
    "purchase-orders/<int:pk>/receive/": {"post": STAFF},
    "purchase-orders/<int:pk>/close/": {"post": STAFF},
    "purchase-orders/<int:pk>/cancel/": {"post": MANAGERS},
    "purchase-orders/suggestions/": {"get": MANAGERS, "post": MANAGERS},
    "stock-lots/": {"get": STAFF},
    "stock-lots/<int:pk>/": {"get": STAFF, "patch": MANAGERS},
    "stock-lots/<int:pk>/write-off/": {"post": STAFF},
    "write-offs/": {"get": STAFF},
    "preparations/": {"get": STAFF, "post": STAFF},
    "preparations/<int:pk>/": {"get": STAFF},
    "preparations/<int:pk>/cancel/": {"post": STAFF},
    "preparation-recipes/": {"get": STAFF, "post": MANAGERS},
    "preparation-recipes/<int:pk>/": {"get": STAFF, "patch": MANAGERS, "delete": MANAGERS},
    "orders/": {"get": SIGNED_IN, "post": SIGNED_IN},
    "orders/quote/": {"post": SIGNED_IN},
    "orders/<int:pk>/": {"get": STAFF, "patch": STAFF},
    "orders/<int:order_pk>/events/": {"get": STAFF},
    "orders/<int:pk>/prepare/": {"post": STAFF},
    "orders/<int:pk>/ready/": {"post": STAFF},
    "orders/<int:pk>/complete/": {"post": STAFF},
    "orders/<int:pk>/cancel/": {"post": STAFF},
    "orders/<int:pk>/items/<int:item>/cancel/": {"post": STAFF},
    "orders/batch/complete/": {"post": STAFF},
    "orders/batch/cancel/": {"post": STAFF},
    "orders/batches/<uuid:pk>/": {"get": STAFF},
    "customers/": {"get": STAFF, "post": STAFF},
    "customers/<int:pk>/": {"get": STAFF, "patch": STAFF},
    "customers/<int:pk>/merge/": {"post": MANAGERS},
    "customers/<int:pk>/export/": {"get": MANAGERS},
    "customers/<int:pk>/erase/": {"post": MANAGERS},
    "customers/<int:customer_pk>/loyalty/": {"get": STAFF, "post": STAFF},
    "customers/me/": {"get": {CUSTOMER}},
    "customers/me/loyalty/": {"get": {CUSTOMER}},
    "loyalty/program/": {"get": MANAGERS, "patch": MANAGERS},
    "loyalty/tiers/": {"get": MANAGERS, "post": MANAGERS},
    "loyalty/tiers/<int:pk>/": {"get": MANAGERS, "patch": MANAGERS, "delete": MANAGERS},
    "employees/": {"get": STAFF, "post": MANAGERS},
    "employees/<int:pk>/": {"get": STAFF, "patch": MANAGERS},
    "employees/<int:pk>/sales/": {"get": MANAGERS},
    "salaries/": {"get": ADMINS, "post": ADMINS},
    "salaries/<int:pk>/": {"get": ADMINS, "patch": ADMINS},
    "payrolls/": {"get": ADMINS, "post": ADMINS},
    "payrolls/<int:pk>/": {"get": ADMINS, "delete": ADMINS},
    "payrolls/<int:pk>/lines/": {"patch": ADMINS},
    "payrolls/<int:pk>/recalculate/": {"post": ADMINS},
    "payrolls/<int:pk>/close/": {"post": ADMINS},
    "payrolls/<int:pk>/reopen/": {"post": ADMINS},
    "payrolls/<int:pk>/export/": {"get": ADMINS},
    "promotions/": {"get": STAFF, "post": MANAGERS},
    "promotions/<int:pk>/": {"get": STAFF, "patch": MANAGERS, "delete": MANAGERS},
    "promo-codes/": {"get": STAFF, "post": MANAGERS},
    "promo-codes/<int:pk>/": {"get": STAFF, "patch": MANAGERS, "delete": MANAGERS},
    "payments/": {"get": STAFF, "post": STAFF},
    "payments/<int:pk>/": {"get": STAFF},
    "refunds/": {"get": MANAGERS, "post": MANAGERS},
    "refunds/<int:pk>/": {"get": MANAGERS},
    "shifts/": {"get": STAFF, "post": STAFF},
    "shifts/<int:pk>/": {"get": STAFF},
    "shifts/<int:pk>/close/": {"post": STAFF},
    "shifts/<int:pk>/cash/": {"post": STAFF},
    "shifts/<int:pk>/correct/": {"post": MANAGERS},
    "shifts/<int:pk>/report/": {"get": STAFF},
    "positions/": {"get": STAFF, "post": MANAGERS},
    "positions/<int:pk>/": {"get": STAFF, "patch": MANAGERS, "delete": MANAGERS},
    "health/": {"get": MANAGERS},
    "alerts/": {"get": MANAGERS},
    "alerts/<int:pk>/": {"get": MANAGERS},
    "alerts/<int:pk>/acknowledge/": {"post": MANAGERS},
    "channels/": {"get": MANAGERS},
    "channels/<int:pk>/": {"get": MANAGERS},
    "channels/<int:pk>/test/": {"post": ADMINS},
    "alert-rules/": {"get": MANAGERS},
    "alert-rules/<int:pk>/": {"get": MANAGERS},
    "deliveries/": {"get": MANAGERS},
    "deliveries/<int:pk>/": {"get": MANAGERS},
    "deliveries/<int:pk>/retry/": {"post": ADMINS},
    "backups/": {"get": ADMINS, "post": ADMINS},
    "backups/<uuid:pk>/": {"get": ADMINS},
    "backups/<uuid:pk>/verify/": {"post": ADMINS},
    "backups/<uuid:pk>/drill/": {"post": ADMINS},
    "backups/<uuid:pk>/keep/": {"post": ADMINS},
    "backups/<uuid:pk>/delete/": {"post": ADMINS},
    "restores/": {"get": ADMINS, "post": ADMINS},
    "restores/<uuid:pk>/": {"get": ADMINS},
    "restores/<uuid:pk>/take-over/": {"post": ADMINS},
    "restores/<uuid:pk>/swap-back/": {"post": ADMINS},
    "restores/<uuid:pk>/discard/": {"post": ADMINS},
    "cluster/": {"get": ADMINS},
    "cluster/events/": {"get": ADMINS},
    "wal-checks/": {"get": ADMINS, "post": ADMINS},
    "wal-checks/<uuid:pk>/": {"get": ADMINS},
    "marketplaces/listings/": {"get": MANAGERS, "post": MANAGERS},
    "marketplaces/listings/<int:pk>/": {"get": MANAGERS, "patch": MANAGERS, "delete": MANAGERS},
    "marketplaces/listings/unmatched/": {"get": MANAGERS},
    "marketplaces/switch/": {"get": MANAGERS, "post": MANAGERS},
    "marketplaces/accounts/": {"get": MANAGERS, "post": ADMINS},
    "marketplaces/accounts/<uuid:pk>/": {"get": MANAGERS, "patch": ADMINS, "delete": ADMINS},
    "marketplaces/accounts/<uuid:pk>/test/": {"post": MANAGERS},
    "marketplaces/accounts/<uuid:pk>/sync/": {"post": MANAGERS},
    "marketplaces/orders/": {"get": MANAGERS},
    "marketplaces/orders/<uuid:pk>/": {"get": MANAGERS},
    "marketplaces/orders/<uuid:pk>/erase/": {"post": MANAGERS},
    "marketplaces/stock/": {"get": MANAGERS},
    "marketplaces/sync-runs/": {"get": MANAGERS},
    "marketplaces/sync-runs/<uuid:pk>/": {"get": MANAGERS},
    "marketplaces/health/": {"get": MANAGERS},
    "marketplaces/accounts/<uuid:pk>/connect/": {"get": ADMINS, "post": ADMINS},
    "marketplaces/operations/": {"get": MANAGERS},
    "marketplaces/operations/<uuid:pk>/": {"get": MANAGERS},
    "marketplaces/operations/<uuid:operation_pk>/log/": {"get": MANAGERS},
    "marketplaces/operations/<uuid:pk>/cancel/": {"post": MANAGERS},
    "marketplaces/operations/<uuid:pk>/retry/": {"post": MANAGERS},
    "marketplaces/operations/batch/cancel/": {"post": MANAGERS},
    "marketplaces/operations/batch/retry/": {"post": MANAGERS},
}
# To whom somebody else's order does not exist: 404 instead of 403.
HIDDEN = {("orders/<int:pk>/", "get", CUSTOMER), ("orders/<int:order_pk>/events/", "get", CUSTOMER)}
METHODS = ("get", "post", "put", "patch", "delete")


def routes() -> Iterator[tuple[str, str]]:
    """Every (route, method) under /api/, as the URLconf has them."""
    for route, callback in patterns(get_resolver().url_patterns, ""):
        if not route.startswith("api/"):
            continue
        actions = getattr(callback, "actions", None)
        for method in METHODS:
            if method in actions if actions else hasattr(callback.cls, method):  # type: ignore[attr-defined]
                yield route.removeprefix("api/v1/"), method


def patterns(urls: list[URLPattern | URLResolver], before: str) -> Iterator[tuple[str, Callable[..., Any]]]:
    for url in urls:
        route = before + str(url.pattern)
        if isinstance(url, URLResolver):
            yield from patterns(url.url_patterns, route)
        else:
            yield route, url.callback


def test_every_route_of_the_api_has_a_row_here() -> None:
    assert set(routes()) == {(route, method) for route, methods in DOORS.items() for method in methods}


@pytest.fixture
def addresses(db: Any) -> dict[str, str]:
    """Every route with the ids of records that exist and belong to nobody who asks."""
    bar = Shop.open()
    milk = bar.ingredient("Milk", "ml", stock=1000)
    cream = makes(bar, tracked(bar.ingredient("Cream", "ml"), shelf_life_hours=8), 80, {milk: 100})
    made = cook(bar, cream)
    group = bar.group("Milk")
    latte = bar.product("Latte", "70.00", {milk: 200}, groups=[group])
    stranger = Customer.objects.create(name="Anna", user=user_of("customer", "stranger@shop.example"))
    position = Position.objects.create(name="Barista")
    employee = Employee.objects.create(name="Boris", position=position, location=bar.location, hired_on="2026-01-01")
    order = bar.sell(latte, customer_id=stranger.pk)
    count = start_count(location=bar.location, created_by_id=None)
    supplier = Supplier.objects.create(name="Dairy")
    purchase = PurchaseOrder.objects.create(supplier=supplier, location=bar.location)
    shift = open_till(bar)
    paid = bar.sell(latte)
    ids: dict[str, int | uuid.UUID] = {
        "shifts": shift.pk,
        "payments": pay(paid, "70", "cash").pk,
        "refunds": refund(paid, amount="10").pk,
        "suppliers": supplier.pk,
        "purchase-orders": purchase.pk,
        "locations": bar.location.pk,
        "categories": bar.category.pk,
        "products": latte.pk,
        "option-groups": group.pk,
        "ingredients": milk.pk,
        "stock": StockLevel.objects.get(ingredient=milk).pk,
        "stock-documents": StockDocument.objects.get().pk,
        "stock-counts": count.pk,
        "shelves": add_shelf(location=bar.location, name="Fridge").pk,
        "stock-lots": lot_of(bar, cream).pk,
        "preparations": made.pk,
        "preparation-recipes": cream.preparation_recipe.pk,
        "orders": order.pk,
        "customers": stranger.pk,
        "loyalty": LoyaltyTier.objects.create(name="Gold", spending_from=5000, points_per_hundred=10).pk,
        "employees": employee.pk,
        "salaries": staff.paid(employee, 30_000).pk,
        "payrolls": draft_payroll(month=date(2026, 3, 1), created_by_id=None).pk,
        "positions": position.pk,
        "promotions": Promotion.objects.create(name="Happy hour", value=20).pk,
        # Of the marketplaces' routes only those of listings have numbers.
        "marketplaces": listings_of(bar, latte)["listing"].pk,
        "promo-codes": PromoCode.objects.create(code="WELCOME10", value=10).pk,
    }
    run = start_batch(verb=BatchRun.Verb.COMPLETE, order_ids=[order.pk], actor=NOBODY)
    # Those of the marketplaces, by the second word of their routes.
    sellers = accounts_of(bar)
    uuids = {
        "orders": sellers["mirrored_order"].pk,
        "sync-runs": sellers["sync_run"].pk,
        "operations": operations_of(bar, latte)["failed_operation"].pk,
        "accounts": connecting_of(bar)["allegro_account"].pk,
    }
    kept = backups_of()
    watched = watching_of()
    ids |= {
        "alerts": watched["alert"].pk,
        # A test message to this one is a mail, which stays in the test's own outbox.
        "channels": watched["spare_channel"].pk,
        "alert-rules": watched["rule"].pk,
        "deliveries": watched["delivery"].pk,
    }
    of_backups = {"backups": kept["backup"].pk, "restores": kept["recovery"].pk, "wal-checks": kept["wal_check"].pk}
    filled = {}
    for route in DOORS:
        pk = ids.get(route.split("/")[0], "")
        path = route.replace("<int:pk>", str(pk)).replace("<int:order_pk>", str(order.pk))
        path = path.replace("<int:customer_pk>", str(stranger.pk))
        path = path.replace("<int:item>", str(order.items.get().pk)).replace("<uuid:operation_pk>", "<uuid:pk>")
        of_backup = of_backups.get(route.split("/")[0])
        path = path.replace("<uuid:pk>", str(of_backup or uuids.get(f"{route}//".split("/")[1], run.pk)))
        assert "<" not in path
        filled[route] = path if path.startswith("api/") else f"api/v1/{path}"
    return filled


@pytest.mark.parametrize("role", [ANONYMOUS, CUSTOMER, BARISTA, MANAGER, ADMIN])
def test_a_role_enters_its_own_doors_and_no_other(role: str, addresses: dict[str, str]) -> None:
    wrong = []
    for route, methods in DOORS.items():
        for method, admitted in methods.items():
            status = knock(role, method, f"/{addresses[route]}")
            if role in admitted:
                # What an empty body is told, and whether the order is still pending, is another matter.
                right = status in {200, 201, 202, 204, 400, 409, 415}
            elif role == ANONYMOUS:
                right = status == (302 if route == "api/docs/" else 401)
            else:
                right = status == (404 if (route, method, role) in HIDDEN else 403)
            if not right:
                wrong.append(f"{role} {method} {route}: {status}")
    assert not wrong


def knock(role: str, method: str, path: str) -> int:
    """The status of a request without a body; what it does is taken back."""
    taken_back = transaction.atomic()
    # What asks the network refuses to inside a transaction, but for those of tests.
    taken_back._from_testcase = True
    with taken_back:
        rest = Rest() if role == ANONYMOUS else Rest(user_of(role))
        answer = getattr(rest.client, method)(
            path, None if method == "get" else {}, format="json" if method != "get" else None
        )
        transaction.set_rollback(True)
    status: int = answer.status_code
    return status


@pytest.mark.parametrize("role", [BARISTA, ADMIN])
def test_a_switched_off_account_enters_no_door(role: str, addresses: dict[str, str]) -> None:
    rest = Rest(user_of(role))
    assert rest.user is not None
    rest.user.is_active = False
    rest.user.save(update_fields=["is_active"])
    for route, methods in DOORS.items():
        if ANONYMOUS in methods.get("post", set()):
            continue
        for method in methods:
            answer = rest.call(method, f"/{addresses[route]}", None if method == "get" else {})
            assert answer.status_code == 401, (route, method)


def test_a_door_says_what_it_is_for_to_who_has_signed_in_only(addresses: dict[str, str]) -> None:
    manager, anonymous = Rest(user_of(MANAGER)), Rest()
    for route in DOORS.keys() - {"auth/token/"}:
        page = route == "api/docs/"
        assert manager.call("options", f"/{addresses[route]}").status_code == (405 if page else 200), route
        assert anonymous.call("options", f"/{addresses[route]}").status_code == (302 if page else 401), route


def test_a_verb_that_a_door_does_not_have_is_refused_as_such(addresses: dict[str, str]) -> None:
    admin = Rest(user_of(ADMIN))
    for route, methods in DOORS.items():
        for method in set(METHODS) - methods.keys():
            answer = admin.call(method, f"/{addresses[route]}", {})
            assert (answer.status_code, route, method) == (405, route, method)
