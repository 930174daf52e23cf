"""The connection breaks at COMMIT, where nobody can know whether it was carried out: an order under a key is there
once either way."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from pytest_django import Settings

from foundation.models import IdempotencyKey
from tests.backups.cluster import Cluster
from tests.database_away.bar import Bar
from tests.database_away.conftest import point_at
from tests.database_away.cutting import AFTER, BEFORE, Wire, wire_to


@pytest.fixture
def wire(away: Cluster, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Iterator[Wire]:
    settings.DATABASE_PATIENCE = 30
    with wire_to(away.port) as wire, monkeypatch.context() as patch:
        point_at(replace(away.server, port=str(wire.port)), patch)
        yield wire


@pytest.mark.parametrize("moment", [BEFORE, AFTER])
def test_an_order_under_a_key_is_there_once(wire: Wire, moment: str) -> None:
    bar = Bar()
    for number in range(1, 6):
        wire.cut_at = moment
        answer = bar.order(key=f"{moment}-{number}")
        assert (answer.status_code, bar.sold(), wire.cuts) == (201, number, number)
        # The first attempt's answer, where that one was carried out.
        assert answer.headers.get("Idempotency-Replayed") == ("true" if moment == AFTER else None)
        assert IdempotencyKey.objects.filter(key=f"{moment}-{number}").count() == 1
    assert len(bar.till.get("orders/", location=bar.shop.location.pk)["results"]) == 5


@pytest.mark.parametrize(("moment", "is_there"), [(BEFORE, 0), (AFTER, 1)])
def test_without_a_key_it_is_told_that_nobody_knows_and_not_tried_again(wire: Wire, moment: str, is_there: int) -> None:
    bar = Bar()
    wire.cut_at = moment
    answer = bar.order(key="-")
    assert (answer.status_code, wire.cuts) == (503, 1)
    assert answer.json()["detail"].endswith("It may have been done or not: look before you send it again.")
    assert bar.sold() == is_there


@pytest.mark.parametrize(("moment", "is_there"), [(BEFORE, 1), (AFTER, 2)])
def test_who_tries_again_without_a_key_sells_twice_or_not(wire: Wire, moment: str, is_there: int) -> None:
    """The danger itself: why nothing else is carried out again."""
    bar = Bar()
    wire.cut_at = moment
    assert bar.order(key="-").status_code == 503
    assert bar.order(key="-").status_code == 201
    assert bar.sold() == is_there
