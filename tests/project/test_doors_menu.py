"""Every page of the menu, the cart and the profile with every role: who sees it, who is sent away.

The routes are taken from the URLconf: one without a row here fails the test, so that nobody opens a door by
forgetting it. The counter's have a table of their own.
"""

from collections.abc import Iterator

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern

from orders.models import Customer
from orders.pages.urls import urlpatterns
from tests.shop import Shop, user_of

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

STAFF = ("barista", "manager", "admin")
ROLES = ("anonymous", "customer", *STAFF)
SHOWN, WRONG, FORBIDDEN, MISSING, METHOD, CHANGED, OVER = "200", "400", "403", "404", "405", "409", "286"
SIGN_IN, MENU = "302 /accounts/login/", "302 /"

# route: {method: (a stranger, a customer, each of the staff)}. The order is somebody else's, a POST says nothing.
DOORS: dict[str, dict[str, tuple[str, str, str]]] = {
    "": {"GET": (SHOWN, SHOWN, SHOWN), "POST": (METHOD, METHOD, METHOD)},
    "menu/<int:product_id>/": {"GET": (SHOWN, SHOWN, SHOWN), "POST": (MENU, MENU, MENU)},
    "menu/<int:product_id>/price/": {"GET": (SHOWN, SHOWN, SHOWN), "POST": (METHOD, METHOD, METHOD)},
    "place/": {"GET": (METHOD, METHOD, METHOD), "POST": (MENU, MENU, MENU)},
    "cart/": {"GET": (SHOWN, SHOWN, SHOWN), "POST": (SHOWN, SHOWN, SHOWN)},
    "cart/order/": {"GET": (METHOD, METHOD, METHOD), "POST": (SIGN_IN, CHANGED, FORBIDDEN)},
    "profile/": {"GET": (SIGN_IN, SHOWN, SHOWN), "POST": (SIGN_IN, WRONG, WRONG)},
    "profile/active/": {"GET": (SIGN_IN, OVER, OVER), "POST": (METHOD, METHOD, METHOD)},
    "profile/points/": {"GET": (SIGN_IN, SHOWN, SHOWN), "POST": (METHOD, METHOD, METHOD)},
    "profile/orders/<int:number>/": {"GET": (SIGN_IN, MISSING, MISSING), "POST": (METHOD, METHOD, METHOD)},
}


def routes() -> Iterator[str]:
    for pattern in urlpatterns:
        if isinstance(pattern, URLPattern):
            yield str(pattern.pattern)


def test_every_page_has_its_row() -> None:
    assert set(routes()) == set(DOORS)


@pytest.mark.parametrize("role", ROLES)
def test_a_role_gets_what_the_table_says(role: str) -> None:
    bar = Shop.open()
    latte = bar.product("Latte", "70.00")
    stranger = Customer.objects.create(name="Anna", user=user_of("customer", "stranger@shop.example"))
    order = bar.sell(latte, customer_id=stranger.pk)
    user = user_of(role) if role != "anonymous" else None
    column = {"anonymous": 0, "customer": 1}.get(role, 2)
    answers, expected = {}, {}
    for route, methods in DOORS.items():
        address = "/" + route.replace("<int:product_id>", str(latte.pk)).replace("<int:number>", str(order.number))
        for method, told in methods.items():
            expected[method, route] = told[column]
            answers[method, route] = knock(user, method, address)
    assert answers == expected


def knock(user: object, method: str, address: str) -> str:
    """The status, and where somebody is sent; what a request does is taken back."""
    with transaction.atomic():
        client = Client()
        if user is not None:
            client.force_login(user)  # type: ignore[arg-type]
        response = client.generic(method, address)
        transaction.set_rollback(True)
    place = response.headers.get("Location", "").partition("?")[0].partition("#")[0]
    return f"{response.status_code} {place}".strip()
