"""Which location a request means."""

import pytest
from django.contrib.auth.models import AnonymousUser

from inventory.errors import UnknownLocation
from inventory.models import DefaultLocation
from inventory.selectors import has_several_locations, location_for
from tests.shop import Shop, user_of

pytestmark = pytest.mark.django_db
NOBODY = AnonymousUser()


def refusal(**request) -> dict[str, list[str]]:
    with pytest.raises(UnknownLocation) as refused:
        location_for(**request)
    return refused.value.errors


def test_the_one_it_names_also_if_it_is_closed():
    shop = Shop.open(is_active=False)
    assert location_for(user=NOBODY, location_id=shop.location.pk) == shop.location


def test_one_that_does_not_exist_is_refused():
    Shop.open()
    for unknown in (0, -1, 10**12, 10**30):
        assert refusal(user=NOBODY, location_id=unknown) == {"location": [f"There is no location {unknown}."]}


def test_the_users_default_before_the_only_open_one():
    Shop.open()
    harbour = Shop.open("Harbour", is_active=False)
    user = user_of("barista")
    DefaultLocation.objects.create(user=user, location=harbour.location)
    assert location_for(user=user, location_id=None) == harbour.location


def test_the_only_open_one():
    shop = Shop.open()
    Shop.open("Harbour", is_active=False)
    assert location_for(user=user_of("barista"), location_id=None) == shop.location


def test_of_several_one_must_be_named():
    Shop.open()
    Shop.open("Harbour")
    assert refusal(user=NOBODY, location_id=None) == {"location": ["The shop has several locations. Name one of them."]}


def test_without_an_open_location_it_says_what_to_do():
    Shop.open(is_active=False)
    assert refusal(user=NOBODY, location_id=None) == {"location": ["The shop has no open location yet. Add one first."]}


def test_locations_are_shown_only_where_there_are_several():
    assert not has_several_locations()
    Shop.open()
    assert not has_several_locations()
    Shop.open("Harbour", is_active=False)
    assert has_several_locations()
