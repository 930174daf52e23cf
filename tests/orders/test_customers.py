"""Customers are written down and changed through one service, by whatever door."""

import datetime
from typing import Any

import pytest
from django.utils import timezone

from foundation.errors import InvalidInput
from foundation.shop import CurrentShop, remember_shop
from orders.errors import CustomerGone, UnknownCustomer
from orders.models import Customer
from orders.services.customer_records import add_customer, change_customer, find_or_add_customer
from tests.races.threads import at_once, kinds

BORN = datetime.date(1990, 5, 1)


def change(customer: Customer, **changes: Any) -> Customer:
    return change_customer(customer_id=customer.pk, changes=changes)


@pytest.mark.django_db
def test_contacts_are_kept_in_one_form() -> None:
    ann = add_customer(values={"name": " Ann   Lee ", "phone": "081 234 5678", "email": " Ann@TEA.example "})

    ann.refresh_from_db()
    assert (ann.name, ann.phone, ann.email) == ("Ann Lee", "+66812345678", "ann@tea.example")


@pytest.mark.django_db
def test_every_fault_is_said_at_its_field_and_nothing_is_written() -> None:
    wrong = {"name": " ", "phone": "900", "email": "ann", "birthday": datetime.date(1899, 12, 31)}

    with pytest.raises(InvalidInput) as refused:
        add_customer(values=wrong)

    assert set(refused.value.errors) == {"name", "phone", "email", "birthday"}
    assert not Customer.objects.exists()


@pytest.mark.django_db
def test_nobody_is_born_tomorrow_by_the_shops_calendar() -> None:
    remember_shop(CurrentShop("Tea", "NZD", "Pacific/Kiritimati", "NZ"))  # 14 hours before Greenwich
    today = (timezone.now() + datetime.timedelta(hours=14)).date()
    ann = add_customer(values={"name": "Ann", "birthday": today})

    with pytest.raises(InvalidInput, match="yet to come"):
        change(ann, birthday=today + datetime.timedelta(days=1))
    assert change(ann, birthday=BORN).birthday == BORN
    assert change(ann, birthday=None).birthday is None


@pytest.mark.django_db
def test_only_what_is_named_changes() -> None:
    ann = Customer.objects.create(name="Ann", phone="ask Bob", notes="soy")
    Customer.objects.filter(pk=ann.pk).update(points=5)

    change(ann, notes="oat", phone="ask Bob")

    ann.refresh_from_db()
    assert (ann.name, ann.phone, ann.notes, ann.points) == ("Ann", "ask Bob", "oat", 5)


@pytest.mark.django_db
def test_who_was_merged_or_erased_is_not_changed() -> None:
    ann = Customer.objects.create(name="Ann")

    for gone in (Customer(name="Twin", merged_into=ann), Customer(name="Gone", erased_at=timezone.now())):
        gone.save()
        with pytest.raises(CustomerGone):
            change(gone, name="Bob")
    with pytest.raises(UnknownCustomer):
        change_customer(customer_id=10**9, changes={"name": "Bob"})


@pytest.mark.django_db
def test_somebody_at_the_counter_is_found_by_their_phone_and_written_down_once() -> None:
    new = find_or_add_customer(phone="081 234 5678", values={"notes": "soy"})
    assert (new.name, new.notes) == ("+66812345678", "soy")

    assert find_or_add_customer(phone="+66 81 234 5678", name="Ann").pk == new.pk
    Customer.objects.filter(pk=new.pk).update(erased_at=timezone.now(), phone="")
    assert find_or_add_customer(phone="+66 81 234 5678", name="Ann").pk != new.pk
    with pytest.raises(InvalidInput):
        find_or_add_customer(phone="  ")


@pytest.mark.django_db(transaction=True)
def test_two_tills_that_write_the_same_phone_down_at_once_get_one_customer() -> None:
    outcomes = at_once([lambda: find_or_add_customer(phone="081 234 5678", name="Ann")] * 6)

    assert kinds(outcomes) == {"Customer": 6}
    assert len({one.pk for one in outcomes}) == Customer.objects.count() == 1
