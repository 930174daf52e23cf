"""A customer's page: contacts, points, merging, export, erasure; and the loyalty programme."""

import json
from decimal import Decimal

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone

from orders.models import Customer, LoyaltyEntry, LoyaltyProgram, LoyaltyTier
from orders.services.points import adjust_points
from tests.inventory.admin_pages import queries_of, signed_in, text_of
from tests.orders.admin_orders import page
from tests.shop import NOBODY

pytestmark = pytest.mark.django_db
ANN = {"name": "Ann Lee", "phone": "+44 (0)7700 900-123", "email": "Ann@tea.example", "birthday": "", "notes": ""}


@pytest.fixture
def barista() -> Client:
    return signed_in("barista")


@pytest.fixture
def manager() -> Client:
    return signed_in("manager")


def customer(name: str = "Ann Lee", points: int = 0, **fields: str) -> Customer:
    made = Customer.objects.create(name=name, **fields)
    if points:
        adjust_points(customer_id=made.pk, points=points, reason="a start", actor=NOBODY)
    return made


def test_contacts_are_kept_as_the_shop_keeps_them_and_shown_as_people_read_them(barista: Client) -> None:
    assert barista.post(page("customer_add"), ANN).status_code == 302

    ann = Customer.objects.get()
    assert (ann.phone, ann.email) == ("+447700900123", "ann@tea.example")
    assert "+44 7700 900123" in text_of(barista.get(page("customer_changelist")))
    assert 'value="+44 7700 900123"' in barista.get(page("customer_change", ann.pk)).content.decode()
    for text in ("0044 7700 900123", "7700 900123", "tel:+447700900123", "900123"):
        found = barista.get(page("customer_changelist"), {"q": text}).context["cl"].result_list
        assert [one.pk for one in found] == [ann.pk], text


def test_what_is_wrong_is_said_at_its_field_and_nothing_is_written(barista: Client) -> None:
    answer = barista.post(page("customer_add"), {**ANN, "phone": "900123", "birthday": "1899-01-01"})

    errors = answer.context["adminform"].form.errors
    assert set(errors) == {"phone", "birthday"}
    assert "country code" in errors["phone"][0]
    assert not Customer.objects.exists()


def test_only_what_was_changed_is_written(barista: Client) -> None:
    ann = customer(phone="ask Bob", notes="soy")

    barista.post(page("customer_change", ann.pk), {**ANN, "phone": "ask Bob", "email": "", "notes": "oat"})

    ann.refresh_from_db()
    assert (ann.phone, ann.notes) == ("ask Bob", "oat")
    assert json.loads(LogEntry.objects.get().change_message) == [{"changed": {"fields": ["Notes"]}}]


def test_the_list_leaves_out_who_was_merged_or_erased_and_shows_points_and_tiers(barista: Client) -> None:
    LoyaltyTier.objects.create(name="Guest", spending_from=0, points_per_hundred=5)
    ann = customer(points=12)
    Customer.objects.create(name="Twin", merged_into=ann)
    Customer.objects.create(name="Gone", erased_at=timezone.now())

    text = text_of(barista.get(page("customer_changelist")))

    assert "12" in text
    assert "Guest" in text
    assert "Twin" not in text
    assert "Gone" not in text


def test_likely_duplicates_are_filtered(manager: Client) -> None:
    for name, phone in [("Ann", "+447700900123"), ("Bob", "+447700900124"), ("Anna", "+447700900123")]:
        customer(name, phone=phone)

    found = manager.get(page("customer_changelist"), {"duplicates": "yes"}).context["cl"].result_list

    assert [one.name for one in found] == ["Anna", "Ann"]


def test_the_page_shows_the_balance_the_tier_and_the_ledger_page_by_page(barista: Client) -> None:
    LoyaltyTier.objects.create(name="Guest", spending_from=0, points_per_hundred=5)
    LoyaltyTier.objects.create(name="Gold", spending_from=5000, points_per_hundred=10)
    LoyaltyProgram.objects.create(points_days=10)
    ann = customer()
    for number in range(1, 13):
        adjust_points(customer_id=ann.pk, points=number, reason=f"cup {number}.", actor=NOBODY)

    text = text_of(barista.get(page("customer_change", ann.pk)))
    assert "78 points Guest tier ฿0 spent in 12 months ฿5,000 more for Gold." in text
    assert "78 points expire within 30 days." in text
    assert "cup 12." in text
    assert "cup 2." not in text
    assert "cup 2." in text_of(barista.get(page("customer_change", ann.pk), {"points_page": "2"}))
    few = queries_of(barista, page("customer_change", ann.pk))
    assert few <= 25
    assert queries_of(barista, page("customer_change", customer("Bob").pk)) <= few


def test_a_barista_adjusts_points_up_to_the_limit(barista: Client) -> None:
    LoyaltyProgram.objects.create(adjustment_limit=20)
    ann = customer()
    address = page("customer_verb", ann.pk, "adjust")

    said = barista.post(address, {"adjust-points": "15", "adjust-reason": "a spilt cup"}, follow=True)
    assert "+15 points. Balance now: 15." in text_of(said)
    refused = barista.post(address, {"adjust-points": "6", "adjust-reason": "one more"})
    assert "You may adjust 20 points of a customer within a day, and have adjusted 15" in text_of(refused)
    barista.post(address, {"adjust-points": "", "adjust-reason": "x"})
    barista.post(address, {"adjust-points": "1", "adjust-reason": ""})

    assert [entry.points for entry in LoyaltyEntry.objects.all()] == [15]


def test_a_manager_merges_by_number_or_contact_and_the_duplicate_points_to_who_goes_on(manager: Client) -> None:
    ann, anna = customer("Ann", phone="+447700900123"), customer("Anna", 9, phone="+447700900123")
    customer("Annabel")
    assert f"#{anna.pk} Anna (+44 7700 900123)" in text_of(manager.get(page("customer_change", ann.pk)))
    address = page("customer_verb", ann.pk, "merge")

    assert "Several are found" in text_of(manager.post(address, {"merge-duplicate": "ann"}))
    assert "No customer is found" in text_of(manager.post(address, {"merge-duplicate": "zoe"}))
    manager.post(address, {"merge-duplicate": f"#{ann.pk}"})
    assert not Customer.objects.exclude(merged_into=None).exists()
    said = manager.post(address, {"merge-duplicate": f"#{anna.pk}"}, follow=True)

    assert "The duplicate is now a part of Ann." in text_of(said)
    ann.refresh_from_db()
    assert ann.points == 9
    text = text_of(manager.get(page("customer_change", anna.pk)))
    assert "It was merged into Ann , who has its orders and points." in text
    assert "Adjust points" not in text
    assert manager.post(page("customer_change", anna.pk), ANN).status_code == 403


def test_a_manager_exports_and_a_barista_does_not(manager: Client, barista: Client) -> None:
    ann = customer(phone="+447700900123")

    answer = manager.get(page("customer_export", ann.pk))

    assert answer["Content-Disposition"] == f'attachment; filename="customer-{ann.pk}.json"'
    assert answer.json()["customer"]["phone"] == "+447700900123"
    assert not LogEntry.objects.exists()
    assert barista.get(page("customer_export", ann.pk)).status_code == 403


def test_a_manager_erases_a_person_and_no_message_names_them(manager: Client) -> None:
    ann = customer(phone="+447700900123")

    said = text_of(manager.post(page("customer_verb", ann.pk, "erase"), {"erase-reason": "by letter"}, follow=True))

    assert "The person's data is erased." in said
    assert "Ann Lee" not in said
    assert "was erased on" in said
    assert not LogEntry.objects.filter(object_repr__contains="Ann").exists()


def test_the_programme_is_set_up_on_its_page_and_its_tiers_in_a_list(manager: Client, barista: Client) -> None:
    address = page("loyaltyprogram_change", 1)
    assert manager.get(page("loyaltyprogram_changelist"))["Location"] == address
    assert manager.get(address).status_code == 200
    data = {"is_active": "on", "point_value": "0.5", "points_days": "100", "adjustment_limit": "30"}

    assert manager.post(address, data).status_code == 302
    program = LoyaltyProgram.objects.get()
    assert (program.is_active, program.point_value, program.points_days) == (True, Decimal("0.50"), 100)
    manager.post(address, {**data, "points_days": "99999999"})
    manager.post(address, {**data, "point_value": "0"})
    program.refresh_from_db()
    assert (program.point_value, program.points_days) == (Decimal("0.50"), 100)
    tier = {"name": "Gold", "spending_from": "5000", "points_per_hundred": "10"}
    assert manager.post(page("loyaltytier_add"), tier).status_code == 302
    assert "Gold" in text_of(manager.get(page("loyaltytier_changelist")))
    assert barista.get(address).status_code == 403
