"""Locations in the admin, and who works where."""

import datetime
from typing import Any

import pytest

from inventory.models import DefaultLocation, Location
from tests.inventory.admin_pages import formset, page, said, signed_in, text_of
from tests.shop import Shop, user_of

pytestmark = pytest.mark.django_db


def location_form(staff: list[dict[str, Any]] | None = None, initial: int = 0, **fields: Any) -> dict[str, Any]:
    return {
        "name": "Riverside",
        "address": "7 River Road",
        "time_zone": "Asia/Bangkok",
        "day_starts_at": "04:00",
        "is_active": "on",
        **fields,
        **formset("default_for", staff or [], initial),
    }


def test_a_location_is_opened_with_the_people_who_work_there() -> None:
    barista = user_of("barista")

    response = signed_in("manager").post(page("location_add"), location_form([{"user": barista.pk}]))

    assert response.status_code == 302
    location = Location.objects.get()
    assert (location.time_zone, location.day_starts_at) == ("Asia/Bangkok", datetime.time(4))
    assert DefaultLocation.objects.get().user == barista


@pytest.mark.parametrize(
    ("field", "value"), [("time_zone", "Mars/Olympus"), ("time_zone", ""), ("day_starts_at", "25:00"), ("name", "")]
)
def test_a_location_that_makes_no_sense_is_refused_at_its_field(field: str, value: str) -> None:
    response = signed_in("manager").post(page("location_add"), location_form(**{field: value}))

    assert list(response.context["adminform"].form.errors) == [field]
    assert not Location.objects.exists()


def test_a_time_zone_that_is_not_offered_stays_chosen() -> None:
    location = Shop.open("Ship", time_zone="Etc/GMT+12").location

    response = signed_in("manager").get(page("location_change", location.pk))

    form = response.context["adminform"].form
    assert ("Etc/GMT+12", "Etc/GMT+12") in form.fields["time_zone"].choices
    assert form["time_zone"].value() == "Etc/GMT+12"


def test_somebody_who_works_elsewhere_already_is_refused_at_their_line() -> None:
    barista = user_of("barista")
    DefaultLocation.objects.create(user=barista, location=Shop.open("Main Street").location)

    response = signed_in("manager").post(page("location_add"), location_form([{"user": barista.pk}]))

    assert "Works at another location already" in text_of(response)
    assert Location.objects.count() == 1


def test_a_customer_works_nowhere() -> None:
    customer = user_of("customer")

    response = signed_in("manager").post(page("location_add"), location_form([{"user": customer.pk}]))

    assert response.status_code == 200
    assert not DefaultLocation.objects.exists()


def test_a_location_with_stock_is_closed_and_not_deleted() -> None:
    shop = Shop.open("Main Street")
    shop.ingredient("Milk", "ml", stock=5)
    assert signed_in("manager").post(page("location_delete", shop.location.pk), {"post": "yes"}).status_code == 403

    response = signed_in("admin").post(page("location_delete", shop.location.pk), {"post": "yes"})

    assert "Close it instead" in said(response)[0]
    signed_in("manager").post(page("location_change", shop.location.pk), location_form(is_active=""))
    shop.location.refresh_from_db()
    assert not shop.location.is_active


def test_a_barista_does_not_change_locations() -> None:
    location = Shop.open().location
    client = signed_in("barista")
    assert client.post(page("location_change", location.pk), location_form()).status_code == 403
    assert client.post(page("location_add"), location_form()).status_code == 403
    assert Location.objects.get().name == "Main Street"
