"""The one switch that stops all writing to marketplaces."""

import datetime

import pytest
from django.utils import timezone

from foundation.errors import InvalidInput
from marketplaces.models import MarketplaceSwitch
from marketplaces.services.switch import may_write, pushes_are_stopped, start_pushes, stop_pushes, the_switch
from tests.marketplaces.shelf import seller
from tests.shop import Shop

pytestmark = pytest.mark.django_db


def test_stopped_nothing_is_written_and_the_first_reason_stays() -> None:
    account, now = seller(Shop.open()), timezone.now()
    assert may_write(account)
    assert the_switch().pushes_stopped_at is None

    stop_pushes(reason="  Wrong prices ", by_id=7, at=now)
    second = stop_pushes(reason="Me too", by_id=8, at=now + datetime.timedelta(hours=1))

    assert (second.reason, second.stopped_by_id, second.pushes_stopped_at) == ("Wrong prices", 7, now)
    assert not may_write(account)
    assert not start_pushes(by_id=7).reason
    assert may_write(account)
    assert not pushes_are_stopped()
    assert MarketplaceSwitch.objects.count() == 1


@pytest.mark.parametrize("fields", [{"mode": "read_only"}, {"is_active": False}])
def test_an_account_that_is_read_only_or_off_writes_nothing_either_way(fields: dict[str, object]) -> None:
    assert not may_write(seller(Shop.open(), **fields))


@pytest.mark.parametrize("reason", ["", "   ", "x" * 301])
def test_stopping_needs_a_reason(reason: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        stop_pushes(reason=reason, by_id=None, at=timezone.now())
    assert set(refusal.value.errors) == {"reason"}
    assert not pushes_are_stopped()
