"""Every door of the admin, tried by every role: who sees each page, whose POST acts, and what all others get.

A page that the table does not name fails the last tests of this file, and so does an action, a button or a field
that searches.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.urls import URLPattern, URLResolver, resolve

from foundation.admin.verbs import VerbButtons
from tests.project.admin_bodies import (
    PASSWORD,
    account,
    batch,
    group,
    location,
    new_order,
    order,
    own_password,
    points_given,
    preparation_recipe,
    product,
    programme,
    promo_code,
    promo_codes,
    promotion,
    rows_of_list,
    sales,
    shelf,
    shop_settings,
    stock,
    tier,
)
from tests.project.admin_doors import (
    ADMINS,
    EVERYBODY,
    HERE,
    MANAGERS,
    NOBODY,
    ROLES,
    STAFF,
    Attempt,
    action,
    asks,
    deed,
    lines,
    page,
    records,
    verb,
)
from tests.project.admin_exchange import EXCHANGE
from tests.project.admin_money import MONEY
from tests.project.admin_premises import TRACES, Premises, premises  # noqa: F401  (a fixture)
from tests.project.admin_purchasing import PURCHASING
from tests.project.admin_staff import STAFF_DOORS
from tests.project.backup_doors import BACKUPS
from tests.project.market_accounts import ACCOUNTS
from tests.project.market_connecting import CONNECTING
from tests.project.market_listings import LISTINGS
from tests.project.market_operations import OPERATIONS
from tests.project.monitoring_doors import MONITORING

pytestmark = pytest.mark.django_db

BY_MANAGERS = {"see": STAFF, "add": MANAGERS, "change": MANAGERS, "delete": MANAGERS}

THE_SITE = [
    page("", STAFF),
    page(
        "login/",
        EVERYBODY - STAFF,
        deed(
            "login/",
            EVERYBODY,
            "sign in",
            lambda it: {"username": "barista@shop.example", "password": "correct horse battery"},
            then="",
        ),
        refused="",
    ),
    page("logout/", NOBODY, Attempt(address="logout/", method="POST", may=STAFF, outside=""), refused=405, outside=""),
    page(
        "password_change/",
        STAFF,
        deed("password_change/", STAFF, "change it", own_password, then="password_change/done/"),
    ),
    page("password_change/done/", STAFF, post=405),
    page("search/?s=a", STAFF),
    page("jsi18n/", STAFF, post=405),
    page("nonsense/", NOBODY, refused=404),
    page("r/{product_type}/{latte}/", NOBODY, refused=404),
    page("orders/", STAFF),
    page("inventory/", STAFF),
    page("users/", STAFF),
    page("monitoring/", MANAGERS, refused=404),
    page("django_celery_beat/", NOBODY, refused=404),
    page("autocomplete/?app_label=orders&model_name=customer&field_name=user", ADMINS, post=405),
    page("autocomplete/?app_label=orders&model_name=employee&field_name=user", ADMINS, post=405),
]

ORDER_LIST, ORDER = "orders/order/", "orders/order/{pending}/"
SALES_IMPORT = "orders/salesimport/{sales_import}/"
ORDERS = [
    page(
        ORDER_LIST,
        STAFF,
        action(ORDER_LIST, STAFF, "complete_selected", "ready"),
        action(ORDER_LIST, STAFF, "cancel_selected", "pending", confirmed="1", restock="restock"),
        action(ORDER_LIST, NOBODY, "delete_selected", "pending", post="yes"),
    ),
    page("orders/order/add/", STAFF, deed("orders/order/add/", STAFF, "place", new_order, is_json=True)),
    page("orders/order/{pending}/edit/", STAFF, deed(f"{ORDER}edit/", STAFF, "edit", new_order, is_json=True)),
    page("orders/order/{ready}/edit/", STAFF, post=400, then="orders/order/{ready}/change/"),
    asks("orders/order/quote/", STAFF, order),
    asks(f"{ORDER}edit/quote/", STAFF, order),
    page("orders/order/menu/?location={main_street}", STAFF, post=405),
    page(
        "orders/order/customers/?q=ann",
        STAFF,
        deed("orders/order/customers/", STAFF, "add", lambda it: {"name": "Bob"}, is_json=True),
    ),
    page(f"{ORDER}change/", STAFF, post=405),
    page(f"{ORDER}history/", STAFF, then=f"{ORDER}change/"),
    page(f"{ORDER}delete/", NOBODY),
    page(ORDER, STAFF, then=f"{ORDER}change/"),
    verb(ORDER, STAFF, "prepare"),
    verb("orders/order/{preparing}/", STAFF, "ready"),
    verb("orders/order/{ready}/", STAFF, "complete"),
    verb(ORDER, STAFF, "cancel", lambda it: {"cancel-restock": "waste"}, asks=True),
    verb(
        ORDER,
        STAFF,
        "cancel_item",
        lambda it: {"cancel_item-item": it["item"], "cancel_item-quantity": 1, "cancel_item-restock": "restock"},
        asks=True,
    ),
    page(f"{ORDER}verb/vanish/", NOBODY, refused=404),
    records("orders/archivedorder", "archived", see=STAFF, without=["change", "history"]),
    page("orders/archivedorder/{archived}/change/", STAFF, then="orders/order/{archived}/change/"),
    page("orders/archivedorder/{archived}/history/", STAFF, then="orders/order/{archived}/change/"),
    page("orders/order/{archived}/change/", STAFF, post=405),
    records("orders/batchrun", "batch", see=STAFF, without=["change"]),
    page("orders/batchrun/{batch}/change/", STAFF, post=405),
    page("orders/batchrun/{batch}/progress/", STAFF),
    records("orders/salesimport", "sales_import", see=MANAGERS, without=["change"]),
    page(f"{SALES_IMPORT}change/", MANAGERS, post=405),
    page(f"{SALES_IMPORT}progress/", MANAGERS),
    page(
        "orders/salesimport/upload/",
        MANAGERS,
        deed("orders/salesimport/upload/", MANAGERS, "hand it in", sales, then="orders/salesimport/*/change/"),
    ),
    verb(SALES_IMPORT, MANAGERS, "start"),
    verb(SALES_IMPORT, MANAGERS, "start_without", asks=True),
    verb(SALES_IMPORT, MANAGERS, "discard"),
]

PROGRAMME = "orders/loyaltyprogram/"
PEOPLE = [
    records("orders/customer", "customer", see=STAFF, add=STAFF, change=STAFF, form=lambda it: {"name": "Bob"}),
    verb("orders/customer/{customer}/", STAFF, "adjust", points_given, asks=True),
    verb("orders/customer/{customer}/", MANAGERS, "merge", lambda it: {"merge-duplicate": "Twin"}, asks=True),
    verb("orders/customer/{customer}/", MANAGERS, "erase", lambda it: {"erase-reason": "by letter"}, asks=True),
    page("orders/customer/{customer}/export/", MANAGERS),
    records("orders/loyaltyprogram", "programme", see=MANAGERS, change=MANAGERS, form=programme, without=["list"]),
    page(PROGRAMME, MANAGERS, then=f"{PROGRAMME}1/change/"),
    records("orders/loyaltytier", "tier", see=MANAGERS, add=MANAGERS, change=MANAGERS, delete=MANAGERS, form=tier),
    records(
        "orders/position",
        "position",
        **BY_MANAGERS,
        form=lambda it: {"name": "Baker"},
        spare="spare_position",
    ),
    records("users/user", "colleague", see=ADMINS, add=ADMINS, change=ADMINS, form=account),
    action("users/user/", ADMINS, "deactivate", "colleague", ADMINS),
    action("users/user/", ADMINS, "reactivate", "left", ADMINS),
    verb("users/user/{colleague}/", ADMINS, "send-link"),
    verb("users/user/{colleague}/", ADMINS, "codes-off", asks=True),
    page("users/user/{colleague}/set-password/", ADMINS, then="users/user/{colleague}/password/"),
    page(
        "users/user/{colleague}/password/",
        ADMINS,
        deed(
            "users/user/{colleague}/password/",
            ADMINS,
            "set it",
            lambda it: {"password1": PASSWORD, "password2": PASSWORD},
            then="users/user/{colleague}/change/",
        ),
    ),
    # Everybody's own API tokens; another's is as if it did not exist.
    records("users/apitoken", "own", see=STAFF, add=STAFF, form=lambda it: {"name": "Till 2", "days": "7"}, added=200),
    page("users/apitoken/{theirs}/change/", NOBODY, post=403, refused=""),
    page("users/apitoken/{theirs}/delete/", NOBODY),
    action("users/apitoken/", NOBODY, "revoke", "theirs"),
    action("users/apitoken/", STAFF, "revoke", "own"),
]

MENU = [
    records(
        "inventory/category",
        "category",
        **BY_MANAGERS,
        form=lambda it: {"name": "Coffee", "position": "3"},
        spare="spare_category",
    ),
    deed("inventory/category/", MANAGERS, "type a position", rows_of_list("category", "position"), then=HERE),
    records(
        "inventory/product",
        "latte",
        **BY_MANAGERS,
        form=product,
        spare="unlisted",
    ),
    action("inventory/product/", MANAGERS, "list_them", "unlisted"),
    action("inventory/product/", MANAGERS, "unlist_them", "latte"),
    verb("inventory/product/{unlisted}/", MANAGERS, "list"),
    verb("inventory/product/{latte}/", MANAGERS, "unlist"),
    records(
        "inventory/optiongroup",
        "group",
        **BY_MANAGERS,
        form=group,
        spare="spare_group",
    ),
    deed("inventory/optiongroup/", MANAGERS, "type a position", rows_of_list("group", "position"), then=HERE),
    records(
        "inventory/option",
        "option",
        see=STAFF,
        without=["list"],
        change=MANAGERS,
        delete=MANAGERS,
        form=lambda it: {"name": "Huge", "price_delta": "20", **lines("effects")},
        changed="inventory/optiongroup/{group}/change/",
        spare="spare_option",
    ),
    page("inventory/option/", STAFF, then="inventory/optiongroup/"),
    deed("inventory/option/", NOBODY, "delete_selected", refused="inventory/optiongroup/"),
]

CODES, CODE = "orders/promocode/", "orders/promocode/{code}/"
PROMOTIONS = [
    records("orders/promotion", "promotion", **BY_MANAGERS, form=promotion),
    verb("orders/promotion/{promotion}/", MANAGERS, "switch_off"),
    verb("orders/promotion/{switched_off}/", MANAGERS, "switch_on"),
    page(
        "orders/promotion/preview/",
        NOBODY,
        Attempt(address="orders/promotion/preview/", method="POST", may=STAFF, body=promotion),
        refused=405,
    ),
    records("orders/promocode", "code", **BY_MANAGERS, form=promo_code),
    verb(CODE, MANAGERS, "switch_off"),
    verb("orders/promocode/{code_switched_off}/", MANAGERS, "switch_on"),
    action(CODES, MANAGERS, "switch_off", "code"),
    action(CODES, MANAGERS, "switch_on", "code_switched_off"),
    page(
        "orders/promocode/generate/",
        MANAGERS,
        deed("orders/promocode/generate/", MANAGERS, "make 3", promo_codes, then=f"{CODES}?created_at=*"),
    ),
    page(
        "orders/promocode/export/", MANAGERS, Attempt(address=f"{CODES}export/", method="POST", may=MANAGERS, then=405)
    ),
    *(
        page(f"autocomplete/?app_label=orders&model_name={model}&field_name={field}", STAFF, post=405)
        for model, fields in (
            ("promotion", ("products", "categories", "locations")),
            ("promocode", ("products", "categories")),
        )
        for field in fields
    ),
]

RECEIVE, WRITE_OFF, TRANSFER = (f"inventory/stocklevel/{name}/" for name in ("receive", "write-off", "transfer"))
VALUATION, USE = (f"inventory/stocklevel/{name}/" for name in ("valuation", "use"))
DOCUMENT = "inventory/stockdocument/*/change/"
STOCK = [
    records("inventory/stocklevel", "level", see=STAFF, without=["change"]),
    page("inventory/stocklevel/{level}/change/", STAFF, then="inventory/ingredient/{sugar}/change/"),
    deed("inventory/stocklevel/", MANAGERS, "type a minimum", rows_of_list("level", "minimum"), then=HERE),
    page(RECEIVE, STAFF, deed(RECEIVE, STAFF, "receive", stock, then=DOCUMENT)),
    page(WRITE_OFF, STAFF, deed(WRITE_OFF, STAFF, "write off", lambda it: stock(it, reason="spoilage"), then=DOCUMENT)),
    page(
        TRANSFER,
        STAFF,
        deed(
            TRANSFER,
            STAFF,
            "transfer",
            lambda it: stock(it, source=it["main_street"], destination=it["riverside"]),
            then=DOCUMENT,
        ),
    ),
    page("inventory/stocklevel/low/", STAFF, post=405),
    page(VALUATION, MANAGERS, Attempt(address=VALUATION, method="POST", may=MANAGERS, then=405)),
    page(USE, MANAGERS, Attempt(address=USE, method="POST", may=MANAGERS, then=405)),
    records("inventory/stockmovement", "movement", see=STAFF, form=lambda it: {"delta": "5"}),
    records("inventory/stockdocument", "document", see=STAFF, form=lambda it: {"comment": "no"}),
    records(
        "inventory/ingredient",
        "sugar",
        **BY_MANAGERS,
        form=lambda it: {"name": "Honey", "unit": "g"},
        spare="spare_ingredient",
    ),
    records(
        "inventory/location",
        "main_street",
        **{**BY_MANAGERS, "delete": ADMINS},
        form=location,
        spare="spare_location",
    ),
]

COUNT, COUNTED = "inventory/stockcount/{counting}/", "inventory/stockcount/{reviewed}/"
COUNTS = [
    records("inventory/stockcount", "counting", see=STAFF, without=["change"]),
    page(f"{COUNT}change/", STAFF, post=405),
    page(
        "inventory/stockcount/start/",
        STAFF,
        deed(
            "inventory/stockcount/start/",
            STAFF,
            "start",
            lambda it: {"scope": "list", "ingredients": [it["milk"]]},
            then="inventory/stockcount/*/count/",
        ),
    ),
    page(
        f"{COUNT}count/",
        STAFF,
        deed(f"{COUNT}count/", STAFF, "count", lambda it: {f"line-{it['sugar']}": "80"}, then=f"{COUNT}count/"),
    ),
    page(f"{COUNTED}count/", STAFF, then=f"{COUNTED}change/"),
    verb(COUNT, STAFF, "submit", asks=True),
    verb(COUNT, STAFF, "cancel", asks=True),
    verb(COUNTED, STAFF, "reopen"),
    verb(COUNTED, STAFF, "recount", lambda it: {"recount-ingredients": it["milk"]}, asks=True),
    verb(COUNTED, MANAGERS, "post", asks=True),
    records(
        "inventory/shelf",
        "shelf",
        see=STAFF,
        without=["list"],
        add=MANAGERS,
        change=MANAGERS,
        delete=MANAGERS,
        form=shelf,
    ),
    page(
        "inventory/shelf/",
        STAFF,
        deed(
            "inventory/shelf/",
            MANAGERS,
            "type a position",
            rows_of_list("shelf", "position"),
            then=HERE,
        ),
    ),
]

PREPARE, EXPIRING, LOT = "inventory/preparation/prepare/", "inventory/stocklot/expiring/", "inventory/stocklot/{lot}/"
MAKING = [
    records("inventory/preparation", "made", see=STAFF, form=lambda it: {"comment": "no"}),
    page(PREPARE, STAFF, deed(PREPARE, STAFF, "prepare", batch, then="inventory/preparation/*/change/")),
    verb("inventory/preparation/{made}/", STAFF, "cancel", asks=True),
    records("inventory/preparationrecipe", "preparation_recipe", **BY_MANAGERS, form=preparation_recipe),
    records("inventory/stocklot", "lot", see=STAFF, form=lambda it: {"quantity": "5"}),
    page(
        EXPIRING,
        STAFF,
        deed(EXPIRING, STAFF, "write off", lambda it: {"location": it["main_street"]}, then=DOCUMENT),
    ),
    page(
        f"{LOT}verb/write_off/",
        STAFF,
        deed(
            f"{LOT}verb/write_off/",
            STAFF,
            "write off",
            lambda it: {"write_off-quantity": "5", "write_off-reason": "spoilage"},
            then=EXPIRING,
        ),
    ),
    page(
        f"{LOT}verb/change/",
        MANAGERS,
        deed(f"{LOT}verb/change/", MANAGERS, "put right", lambda it: {"change-code": "L42"}, then=EXPIRING),
    ),
    page("inventory/stockdocument/write-offs/", STAFF, post=405),
]

SETTINGS, REMOVE_DEMO = "foundation/shop/settings/", "foundation/shop/remove-demo/"
THE_SHOP = [
    page("foundation/", ADMINS, refused=404),
    page("foundation/shop/", ADMINS, then=SETTINGS),
    page(SETTINGS, ADMINS, deed(SETTINGS, ADMINS, "change them", shop_settings, then=SETTINGS)),
    # No demo: nothing is removed. What removing one does has tests of its own.
    page(
        REMOVE_DEMO,
        ADMINS,
        Attempt(address=REMOVE_DEMO, method="POST", may=ADMINS, body=lambda it: {"name": "Samovar"}),
        then="",
    ),
]

THE_REST = [
    # The scheduler's own pages come with it; the shop's schedule stands in its settings.
    records("django_celery_beat/periodictask", "task", see=NOBODY),
    *(
        action("django_celery_beat/periodictask/", NOBODY, f"{name}_tasks", "task", NOBODY)
        for name in ("run", "enable", "disable", "toggle")
    ),
    records("django_celery_beat/intervalschedule", "interval", see=NOBODY),
    records("django_celery_beat/crontabschedule", "crontab", see=NOBODY),
    records("django_celery_beat/solarschedule", "solar", see=NOBODY),
    records("django_celery_beat/clockedschedule", "clocked", see=NOBODY),
]


def attempts(*parts: list[Any]) -> Iterator[Attempt]:
    for part in parts:
        for row in part:
            yield from row if isinstance(row, list) else [row]


TABLE = list(
    attempts(
        THE_SITE,
        ORDERS,
        MONEY,
        PEOPLE,
        STAFF_DOORS,
        ACCOUNTS,
        OPERATIONS,
        BACKUPS,
        MONITORING,
        CONNECTING,
        LISTINGS,
        MENU,
        PROMOTIONS,
        STOCK,
        EXCHANGE,
        COUNTS,
        MAKING,
        PURCHASING,
        THE_SHOP,
        THE_REST,
    )
)


@pytest.mark.slow
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("attempt", TABLE, ids=str)
def test_a_door_opens_to_those_whom_the_table_names_and_to_nobody_else(
    premises: Premises,  # noqa: F811
    attempt: Attempt,
    role: str,
) -> None:
    answer = premises.send(attempt, role)

    assert premises.gets(answer, attempt, role) == attempt.answer_to(role)
    changed = premises.changed()
    if attempt.changes_for(role):
        assert changed - TRACES
    else:
        assert not changed


@pytest.mark.slow
@pytest.mark.parametrize("attempt", [attempt for attempt in TABLE if "{" in attempt.address], ids=str)
def test_what_is_not_there_is_refused_without_an_error(premises: Premises, attempt: Attempt) -> None:  # noqa: F811
    for unknown in ("0", "9" * 30, "milk", "a%00b"):
        answer = premises.send(attempt, "admin", unknown=unknown)

        assert answer.status_code in (302, 400, 403, 404, 405)
    assert not premises.changed()


# --- nothing is missing in the table ------------------------------------------------------------------


def routes(patterns: list[Any], before: str) -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, f"{before}{pattern.pattern}")
        elif isinstance(pattern, URLPattern):
            yield f"{before}{str(pattern.pattern).removeprefix('^')}"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_every_page_of_the_admin_has_its_row(premises: Premises, method: str) -> None:  # noqa: F811
    paths = [premises.path(attempt.address, "barista") for attempt in TABLE if attempt.method == method]

    rows = {resolve(path.partition("?")[0]).route for path in paths}

    assert rows == set(routes(admin.site.get_urls(), "admin/"))
    assert {f"/admin/{model._meta.app_label}/" for model in admin.site._registry} <= set(paths)


def test_every_action_of_a_list_has_its_row() -> None:
    actions = {
        f"{model._meta.app_label}/{model._meta.model_name}/ {name}"
        for model, model_admin in admin.site._registry.items()
        for _function, name, _description in model_admin._get_base_actions()
        if model_admin.actions is not None
    }

    assert actions <= {f"{attempt.address} {attempt.does}" for attempt in TABLE}


def test_every_button_of_an_object_has_its_row() -> None:
    buttons = {
        (model._meta.app_label, model._meta.model_name, verb.name): verb
        for model, model_admin in admin.site._registry.items()
        if isinstance(model_admin, VerbButtons)
        for verb in model_admin.verbs
    }
    # What asks somebody over the network may have a row in which nobody is asked, and so nothing is done.
    remote = {name for name, verb in buttons.items() if verb.is_remote}

    rows = [attempt.address.split("/") for attempt in TABLE if "/verb/" in attempt.address and attempt.does]

    assert {(app, model, name) for app, model, _key, _verb, name, _end in rows} | remote == set(buttons)


def test_every_field_that_searches_has_its_row() -> None:
    fields = {
        f"autocomplete/?app_label={model._meta.app_label}&model_name={model._meta.model_name}&field_name={name}"
        for model, model_admin in admin.site._registry.items()
        for name in model_admin.autocomplete_fields
    }

    assert {attempt.address for attempt in TABLE if attempt.address.startswith("autocomplete/")} == fields
