"""An archived order is read as any other: over REST and in the admin. Nothing of it changes."""

import datetime
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from orders.models import ArchivedOrder, Customer, EveryOrder, Order
from orders.services.archive import archive_orders
from orders.services.transitions import complete_order
from tests.inventory.admin_pages import queries_of, signed_in, text_of
from tests.orders.admin_orders import page, verb
from tests.orders.money import pay
from tests.orders.snapshot import everything
from tests.rest import Rest
from tests.shop import NOBODY, Shop

pytestmark = pytest.mark.django_db
LIST = "/api/v1/orders/"


@pytest.fixture
def bar() -> Shop:
    return Shop.open(time_zone="Asia/Bangkok")


@pytest.fixture
def archived(bar: Shop) -> Order:
    """An order of 2024 by Ann; a younger one of hers is not archived."""
    milk = bar.ingredient("Milk", "ml", stock=1000)
    latte = bar.product("Latte", "70", {milk: 100})
    ann = Customer.objects.create(name="Ann Lee", phone="+66 81 234 5678")
    at = timezone.now() - datetime.timedelta(days=800)
    order = bar.sell(latte, 2, customer_id=ann.pk, at=at)
    bar.cancel_part(order, 1)
    pay(order, "70", at=at)
    complete_order(order_id=order.pk, actor=NOBODY, at=at)
    bar.sell(latte, customer_id=ann.pk)
    return order


def archive() -> None:
    assert archive_orders(before=timezone.now() - datetime.timedelta(days=365)) == 1


def test_rest_reads_an_archived_order_and_its_events_as_before(bar: Shop, archived: Order) -> None:
    api = Rest.of("barista")
    addresses = [f"{LIST}{archived.pk}/", f"{LIST}{archived.pk}/events/", LIST, f"{LIST}?status=completed"]
    before = [api.get(address) for address in addresses]

    archive()

    after = [api.get(address) for address in addresses]
    assert before[0].pop("is_archived") is False
    assert after[0].pop("is_archived") is True
    assert after[:2] == before[:2]
    assert [one["id"] for one in after[2]["results"]] == [one["id"] for one in before[2]["results"]]
    assert [one["is_archived"] for one in after[2]["results"]] == [False, True]
    assert [one["id"] for one in after[3]["results"]] == [archived.pk]


@pytest.mark.parametrize(
    ("query", "finds"),
    [
        ("archived=true", ["old"]),
        ("archived=false", ["new"]),
        ("search={number}", ["old"]),
        ("search=%23{number}", ["old"]),
        ("search=lee", ["new", "old"]),
        ("search=5678", ["new", "old"]),
        ("search=081%20234%205678&archived=true", ["old"]),
        ("placed_before=2025-01-01T00:00:00Z", ["old"]),
        ("customer={customer}", ["new", "old"]),
    ],
)
def test_rest_finds_archived_orders(bar: Shop, archived: Order, query: str, finds: list[str]) -> None:
    archive()
    new = Order.objects.get()

    address = f"{LIST}?{query.format(number=archived.number, customer=new.customer_id)}"

    names = {archived.pk: "old", new.pk: "new"}
    assert [names[one["id"]] for one in Rest.of("barista").get(address)["results"]] == finds


def test_rest_pages_run_through_the_archive(bar: Shop) -> None:
    tea = bar.product("Tea")
    for days in range(6):
        order = bar.sell(tea, at=timezone.now() - datetime.timedelta(days=900 - 100 * days))
        if days % 2:
            complete_order(order_id=order.pk, actor=NOBODY, allow_unpaid=True, at=order.placed_at)
    assert archive_orders(before=timezone.now() - datetime.timedelta(days=300)) == 3
    api, address, pages = Rest.of("barista"), f"{LIST}?page_size=2", []

    while address:
        answer = api.get(address)
        pages.append([one["number"] for one in answer["results"]])
        address = answer["next"]

    numbers = list(EveryOrder.objects.order_by("-pk").values_list("number", flat=True))
    assert pages == [numbers[:2], numbers[2:4], numbers[4:]]


@pytest.mark.parametrize(
    ("action", "body"),
    [
        ("prepare/", {}),
        ("ready/", {}),
        ("complete/", {}),
        ("cancel/", {"reason": "late"}),
        ("items/{item}/cancel/", {"quantity": 1}),
        ("", {"comment": "changed"}),
    ],
)
def test_rest_refuses_to_change_an_archived_order(
    bar: Shop, archived: Order, action: str, body: dict[str, Any]
) -> None:
    item = archived.items.get().pk
    archive()
    before, api = everything(), Rest.of("barista")

    address = f"{LIST}{archived.pk}/{action.format(item=item)}"
    answer = api.refused("post" if action else "patch", address, body, status=409, kind="archived")

    assert f"#{archived.number} is archived" in answer["detail"]
    assert everything() == before


def test_a_customer_sees_their_own_archived_orders_and_no_others(bar: Shop, archived: Order) -> None:
    archive()
    api = Rest.of("customer")
    api.refused("get", f"{LIST}{archived.pk}/", status=404, kind="not_found")
    api.refused("get", f"{LIST}{archived.pk}/events/", status=404, kind="not_found")
    Customer.objects.update(user=api.user)

    assert [one["id"] for one in api.get(LIST)["results"]][-1] == archived.pk
    assert api.get(f"{LIST}{archived.pk}/events/")["results"]


def test_the_page_of_an_archived_order_shows_the_same_and_that_it_is_archived(bar: Shop, archived: Order) -> None:
    # To somebody who may not refund it: nothing else can be done with it any more.
    barista, address = signed_in("barista"), page("order_change", archived.pk)
    before, queries = content(barista, address), queries_of(barista, address)
    assert "ord-columns" in before

    archive()

    badge = '<span class="ord-badge" title="It can be read, and nothing of it changes any more.">archived</span>'
    after = content(barista, address)
    assert badge in after
    assert after.replace(badge, "").split() == before.split()
    assert queries_of(barista, address) <= queries + 1
    assert "Refund" not in content(signed_in("manager"), address)
    assert signed_in("customer").get(address).status_code == 302


def content(client: Client, address: str) -> str:
    """The page without the frame around it."""
    html = client.get(address).content.decode()
    return html.split('class="ord-page"')[1].split("</main>")[0].split("<script")[0]


def test_the_admin_refuses_to_change_an_archived_order(bar: Shop, archived: Order) -> None:
    archive()
    before, barista = everything(), signed_in("barista")

    answer = barista.post(verb(archived, "complete"), follow=True)

    assert "is archived" in text_of(answer)
    assert everything() == before


def test_the_archive_has_a_list_with_filters_and_a_search(bar: Shop, archived: Order) -> None:
    manager, address = signed_in("manager"), page("archivedorder_changelist")
    assert "Archive" not in chips(manager)
    archive()

    assert "Archive" in chips(manager)
    for query in ("", f"?q={archived.number}", "?q=ann", "?q=5678", "?status=completed", "?placed_to=2025-12-31"):
        text = text_of(manager.get(address + query))
        assert f"#{archived.number}" in text, query
    for query in ("?q=bob", "?status=cancelled", "?period=today"):
        assert f"#{archived.number}" not in text_of(manager.get(address + query)), query
    assert page("order_change", archived.pk) in manager.get(address).content.decode()
    assert manager.get(page("archivedorder_change", archived.pk)).url == page("order_change", archived.pk)
    assert manager.post(page("archivedorder_change", archived.pk), {}).status_code == 302
    assert ArchivedOrder.objects.count() == 1


def test_a_search_among_the_orders_tells_of_those_in_the_archive(bar: Shop, archived: Order) -> None:
    archive()
    manager, told = signed_in("manager"), "The archive holds orders that match as well."

    html = manager.get(f"{page('order_changelist')}?q={archived.number}").content.decode()
    assert told in html
    assert f'href="{page("archivedorder_changelist")}?q={archived.number}"' in html
    for query in ("", "?q=bob", "?q=%00"):
        assert told not in manager.get(page("order_changelist") + query).content.decode(), query


def chips(client: Client) -> str:
    html = client.get(page("order_changelist")).content.decode()
    return html.split('class="ord-chips"')[1].split("</nav>")[0]


def test_the_page_of_a_customer_shows_archived_orders_too(bar: Shop, archived: Order) -> None:
    manager, address = signed_in("manager"), page("customer_change", Customer.objects.get().pk)
    before = text_of(manager.get(address))
    assert f"#{archived.number}" in before

    archive()

    assert text_of(manager.get(address)).split() == before.split()
