"""Who may read the metrics: they tell what the shop earns."""

from typing import Any

import pytest
from django.test import Client, override_settings
from pytest_django import DjangoAssertNumQueries

from foundation.networks import read_networks

pytestmark = pytest.mark.django_db

TOKEN = "a-token-of-the-test-0123456789"
LOCAL = ["127.0.0.0/8", "::1/128"]


def status(client: Client, address: str = "127.0.0.1", token: str = "", **headers: str) -> int:
    if token:
        headers["Authorization"] = token
    return client.get("/metrics", REMOTE_ADDR=address, headers=headers).status_code


@pytest.fixture(autouse=True)
def no_figures(no_other_metrics: None, settings: Any) -> None:
    settings.METRICS_TOKEN, settings.METRICS_NETWORKS, settings.TRUSTED_PROXIES = "", read_networks(LOCAL), 0


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1"])
def test_this_machine_may(client: Client, address: str) -> None:
    assert status(client, address) == 200


@pytest.mark.parametrize("address", ["192.0.2.7", "10.0.0.1", "::ffff:192.0.2.7", "2001:db8::1", "", "nonsense"])
def test_the_world_may_not(client: Client, address: str) -> None:
    response = client.get("/metrics", REMOTE_ADDR=address)

    assert response.status_code == 403
    assert b"samovar_" not in response.content


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via", "X-Forwarded-Host"])
def test_what_comes_through_a_proxy_that_nobody_named_is_not_from_this_machine(client: Client, header: str) -> None:
    assert status(client, **{header: "127.0.0.1"}) == 403


def test_behind_a_known_proxy_the_clients_address_counts(client: Client, settings: Any) -> None:
    settings.TRUSTED_PROXIES = 1

    assert status(client, **{"X-Forwarded-For": "192.0.2.7"}) == 403
    # What the client itself has written stands to the left.
    assert status(client, **{"X-Forwarded-For": "127.0.0.1, 192.0.2.7"}) == 403
    assert status(client, **{"X-Forwarded-For": "192.0.2.7, 127.0.0.1"}) == 200


def test_a_network_can_be_named(client: Client, settings: Any) -> None:
    settings.METRICS_NETWORKS = read_networks([" 192.0.2.0/24 ", ""])

    assert (status(client, "192.0.2.7"), status(client, "192.0.3.7"), status(client)) == (200, 403, 403)


def test_the_token_opens_from_everywhere_and_no_other_does(client: Client, settings: Any) -> None:
    settings.METRICS_TOKEN = TOKEN

    assert status(client, "192.0.2.7", f"Bearer {TOKEN}") == 200
    assert status(client, "192.0.2.7", f"bearer {TOKEN}") == 200
    for wrong in (f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", "Bearer ", "Bearer", f"Basic {TOKEN}", TOKEN, "Bearer ы"):
        response = client.get("/metrics", REMOTE_ADDR="192.0.2.7", headers={"Authorization": wrong})
        assert (response.status_code, response["WWW-Authenticate"]) == (401, 'Bearer realm="metrics"')


def test_without_a_token_an_empty_one_opens_nothing(client: Client) -> None:
    assert status(client, "192.0.2.7", "Bearer ") == 403


@override_settings(SECURE_SSL_REDIRECT=True)
def test_it_answers_without_https_and_without_looking_anybody_up(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client.cookies["sessionid"] = "a" * 32

    with django_assert_num_queries(0):
        response = client.get("/metrics")

    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    assert response["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_it_is_only_read(client: Client, method: str) -> None:
    assert getattr(client, method)("/metrics").status_code == 405
