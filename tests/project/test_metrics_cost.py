"""A whole reading of /metrics, as Prometheus asks for it."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from monitoring.measuring import shop
from monitoring.registry import metrics
from tests.monitoring.measuring.told import values
from tests.shop import Shop

pytestmark = pytest.mark.django_db


def sell_at(name: str, products: int) -> None:
    place = Shop.open(name)
    milk = place.ingredient(f"Milk of {name}", "ml", stock=1000)
    for number in range(products):
        place.sell(place.product(f"Latte {number} of {name}", recipe={milk: 100}))


def read(client: Client) -> int:
    """Reads everything anew, and says how many statements the figures took."""
    shop._in_memory = shop.Keeper()
    with CaptureQueriesContext(connection) as seen:
        response = client.get("/metrics")
    assert response.status_code == 200
    assert values(response.content, "samovar_metric_failed") == {}
    # What each of them takes for its transaction and its time limit besides.
    around = [one["sql"] for one in seen if one["sql"].startswith(("SAVEPOINT", "RELEASE", "SELECT set_config"))]
    return len(seen) - len(around)


def test_all_figures_can_be_read_and_take_as_many_statements_however_large_the_shop_is(client: Client) -> None:
    sell_at("Main Street", 1)
    small = read(client)
    for place in ("Harbour", "Station", "Airport"):
        sell_at(place, 3)

    assert small == read(client)
    assert small <= len(metrics.all())
    # Who asks again at once reads none of them.
    with CaptureQueriesContext(connection) as seen:
        assert client.get("/metrics").status_code == 200
    assert len(seen) == 0
