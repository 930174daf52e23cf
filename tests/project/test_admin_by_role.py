"""What each role finds in the admin: no link that is closed to it, and no field that it may not set."""

import re
from html import unescape
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest

from inventory.models import StockLevel
from orders.models import Customer, Employee
from tests.project.admin_bodies import employee, new_order, rows_of_list
from tests.project.admin_doors import ADMINS, MANAGERS, STAFF, Attempt, Body, Keys
from tests.project.admin_premises import Premises, premises  # noqa: F401  (a fixture)
from tests.shop import assert_levels_are_what_the_ledger_sums_to

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

LINK = re.compile(r'(?:href|formaction)="([^"#]+)"')
# More pages than this would mean that the way through them never ends.
MOST_PAGES = 600


@pytest.mark.parametrize("role", sorted(STAFF))
def test_no_page_leads_somebody_to_a_door_that_is_closed_to_them(premises: Premises, role: str) -> None:  # noqa: F811
    browser = premises.browser_of(role)
    waiting, seen, closed = ["/admin/"], {"/admin/"}, {}
    while waiting:
        address = waiting.pop()
        answer = browser.get(address, follow=True)
        if answer.status_code not in (200, 405):  # a button's address takes a POST only
            closed[address] = answer.status_code
            continue
        for link in LINK.findall(answer.content.decode()):
            target = urlsplit(urljoin(address, unescape(link)))
            if target.netloc or not target.path.startswith("/admin/") or target.path in seen:
                continue
            seen.add(target.path)
            waiting.append(target.geturl())
    assert closed == {}
    assert 20 < len(seen) < MOST_PAGES
    assert not premises.changed()


def send(premises: Premises, role: str, address: str, body: Body, *, is_json: bool = False) -> int:  # noqa: F811
    attempt = Attempt(address=address, may=STAFF, method="POST", body=body, is_json=is_json)
    return premises.send(attempt, role).status_code


@pytest.mark.parametrize("role", sorted(MANAGERS))
def test_only_who_sees_accounts_gives_one_to_an_employee_and_to_a_customer(
    premises: Premises,  # noqa: F811
    role: str,
) -> None:
    account = premises.keys["colleague"]

    send(premises, role, "orders/employee/{employee}/change/", lambda it: {**employee(it), "user": account})
    send(premises, role, "orders/customer/{customer}/change/", lambda it: {"name": "Ann", "user": account})

    expected = account if role in ADMINS else None
    assert Employee.objects.get(pk=premises.keys["employee"]).user_id == expected
    assert Customer.objects.get(pk=premises.keys["customer"]).user_id == expected


@pytest.mark.parametrize(("role", "status"), [("barista", 403), ("manager", 200)])
def test_only_managers_sell_below_the_minimum(premises: Premises, role: str, status: int) -> None:  # noqa: F811
    def below(it: Keys) -> dict[str, Any]:
        return {**new_order(it), "sells_below_minimum": True}

    assert send(premises, role, "orders/order/add/", below, is_json=True) == status
    assert bool(premises.changed()) == (status == 200)


@pytest.mark.parametrize("role", sorted(STAFF))
def test_nobody_types_a_quantity_into_the_stock(premises: Premises, role: str) -> None:  # noqa: F811
    level = StockLevel.objects.get(pk=premises.keys["level"])
    typed = {"quantity": "999", f"quantity_{level.location_id}": "999", "form-0-quantity": "999"}

    send(premises, role, "inventory/stocklevel/", lambda it: rows_of_list("level", "minimum")(it) | typed)
    send(premises, role, "inventory/stocklevel/{level}/change/", lambda it: typed)
    send(premises, role, "inventory/ingredient/{sugar}/change/", lambda it: {"name": "Sugar", "unit": "g", **typed})

    level.refresh_from_db()
    assert level.quantity == 100
    assert_levels_are_what_the_ledger_sums_to()


@pytest.mark.parametrize("role", sorted(STAFF))
def test_the_search_finds_only_lists_that_the_role_sees(premises: Premises, role: str) -> None:  # noqa: F811
    page = premises.browser_of(role).get("/admin/search/?s=e").content.decode()

    assert ("/admin/users/user/" in page) == (role in ADMINS)
    assert "/admin/orders/order/" in page
    assert "django_celery_beat" not in page
