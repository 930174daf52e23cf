"""A buyer is forgotten in everything that the marketplaces told of them, and stays forgotten."""

import json
from pathlib import Path

import pytest
from django.core.management import call_command
from django.utils import timezone

from foundation.errors import InvalidInput
from foundation.uuids import uuid7
from marketplaces.choices import Marketplace, OrderState
from marketplaces.errors import UnknownMarketplaceOrder
from marketplaces.models import ErasedBuyer, MarketplaceOrder, MarketplaceOrderRevision
from marketplaces.services.buyers import contacts_in, without_buyer
from marketplaces.services.erasing import erase_buyer
from marketplaces.services.mirror import store_page
from orders.models import Customer
from orders.services.erasing import erase_customer
from tests.marketplaces.market import page, seller, told
from tests.shop import NOBODY

pytestmark = pytest.mark.django_db

ALLEGRO = {
    "id": "f1",
    "status": "READY_FOR_PROCESSING",
    "buyer": {"id": "77", "email": "Jan.Kowalski@Example.pl", "login": "janek", "phoneNumber": None, "guest": False},
    "delivery": {
        "address": {"firstName": "Jan", "lastName": "Kowalski", "city": "Poznań", "phoneNumber": "600 100 200"},
        "method": {"id": "m1", "name": "Courier"},
        "cost": {"amount": "9.90", "currency": "PLN"},
    },
    "invoice": {"required": True, "address": {"naturalPerson": {"firstName": "Jan"}}},
    "lineItems": [{"id": "l1", "offer": {"id": "9", "name": "Tea"}, "quantity": 2, "price": {"amount": "12.00"}}],
    "messageToSeller": "Leave it at the neighbour's",
    "updatedAt": "2026-11-21T10:00:00Z",
}
OZON = {
    "posting_number": "1-1",
    "customer": {"customer_id": 5, "name": "Иван Петров", "phone": "79161234567", "address": {"city": "Тверь"}},
    "addressee": {"name": "Иван", "phone": "8 (916) 765-43-21"},
    "products": [{"sku": 1, "name": "Чай", "price": {"amount": "5"}, "quantity": 1}],
}
PERSONAL = ("Jan", "Kowalski", "janek", "600", "Poznań", "neighbour", "Иван", "Петров", "916", "Тверь")
WHY = "asked for it by letter"


@pytest.fixture
def account():
    return seller(Marketplace.ALLEGRO)


def keep(account, *orders) -> None:
    store_page(account_id=account.pk, page=page(*orders), at=timezone.now())


def kept_texts() -> str:
    """Everything that the mirror holds, as text."""
    rows = [*MarketplaceOrder.objects.values_list("payload", "buyer_contacts")]
    return json.dumps([*rows, *MarketplaceOrderRevision.objects.values_list("payload")], ensure_ascii=False)


def nothing_personal(text: str) -> bool:
    return not any(word in text for word in PERSONAL)


def test_a_buyer_is_found_by_contacts_however_they_are_written():
    assert set(contacts_in(ALLEGRO, marketplace="allegro")) >= {"jan.kowalski@example.pl", "+48600100200"}
    assert set(contacts_in(OZON, marketplace="ozon")) >= {"+79161234567", "+79167654321"}


@pytest.mark.parametrize("payload", [ALLEGRO, OZON], ids=["allegro", "ozon"])
def test_what_was_bought_stays_when_the_buyer_goes(payload):
    masked = without_buyer(payload)

    assert nothing_personal(json.dumps(masked, ensure_ascii=False))
    assert masked.keys() == payload.keys()
    for name in ("lineItems", "products", "posting_number", "status", "updatedAt"):
        assert masked.get(name) == payload.get(name)


def test_erasing_a_customer_reaches_their_orders_on_marketplaces_and_nobody_elses(account):
    keep(account, told("f1", payload=ALLEGRO), told("other", payload={"buyer": {"email": "eva@example.pl"}}))
    # Who changes the number in between is found by the old one too.
    keep(account, told("f1", payload={**ALLEGRO, "delivery": {}, "buyer": {"login": "janek"}}))
    customer = Customer.objects.create(name="Jan Kowalski", phone="+48600100200")

    erase_customer(customer_id=customer.pk, reason=WHY, actor=NOBODY)

    assert nothing_personal(kept_texts())
    assert "eva@example.pl" in kept_texts()
    assert MarketplaceOrder.objects.get(external_id="f1").erased_at is not None
    assert MarketplaceOrder.objects.get(external_id="other").erased_at is None
    assert list(ErasedBuyer.objects.values_list("external_id", "reason")) == [("f1", WHY)]


def test_what_is_told_of_an_erased_order_later_is_kept_without_the_buyer(account):
    keep(account, told("f1", payload=ALLEGRO))
    order = erase_buyer(order_id=MarketplaceOrder.objects.get().pk, reason=WHY, actor=NOBODY)

    keep(account, told("f1", payload=ALLEGRO))
    assert order.revisions.count() == 1, "the same answer is no news"
    keep(account, told("f1", OrderState.SENT, payload={**ALLEGRO, "status": "SENT"}))

    assert list(order.revisions.values_list("status", flat=True)) == ["ready", "sent"]
    assert MarketplaceOrder.objects.get().payload["status"] == "SENT"
    assert nothing_personal(kept_texts())


def test_a_reason_is_given_and_does_not_hold_the_contacts(account):
    keep(account, told("f1", payload=ALLEGRO))
    order = MarketplaceOrder.objects.get()

    for reason in ("  ", "x" * 301, "jan.kowalski@example.PL asked"):
        with pytest.raises(InvalidInput) as refused:
            erase_buyer(order_id=order.pk, reason=reason, actor=NOBODY)
        assert set(refused.value.errors) == {"reason"}
    with pytest.raises(UnknownMarketplaceOrder):
        erase_buyer(order_id=uuid7(), reason=WHY, actor=NOBODY)

    assert not ErasedBuyer.objects.exists()
    assert not nothing_personal(kept_texts())


def test_after_a_restore_whoever_was_erased_is_erased_again_also_what_is_read_anew(account, tmp_path: Path):
    keep(account, told("f1", payload=ALLEGRO), told("f2", payload=ALLEGRO))
    for order in MarketplaceOrder.objects.all():
        erase_buyer(order_id=order.pk, reason=WHY, actor=NOBODY)
    call_command("repeat_erasures", write=str(tmp_path / "erased.json"))
    assert nothing_personal((tmp_path / "erased.json").read_text())
    # The restored database knows the first order as it was, and nothing of the second.
    ErasedBuyer.objects.all().delete()
    restored = MarketplaceOrder.objects.get(external_id="f1")
    MarketplaceOrder.objects.filter(pk=restored.pk).update(payload=ALLEGRO, erased_at=None)
    restored.revisions.update(payload=ALLEGRO)
    second = MarketplaceOrder.objects.get(external_id="f2")
    second.operations.all()[0].log.all().delete()
    second.operations.all().delete()
    second.delete()

    call_command("repeat_erasures", read=str(tmp_path / "erased.json"))
    keep(account, told("f2", payload=ALLEGRO))

    assert nothing_personal(kept_texts())
    assert MarketplaceOrder.objects.exclude(erased_at=None).count() == 2
    call_command("repeat_erasures")
    assert ErasedBuyer.objects.count() == 2
