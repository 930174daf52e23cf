"""The database goes away under requests: they wait, are carried out again where that does no harm, or are told."""

import json
import re
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from inventory.models import Category
from tests.backups.cluster import Cluster
from tests.database_away.bar import Bar, person
from tests.database_away.meanwhile import Meanwhile, send_away, sent_away_before, statements_of

ORDERS = "/api/v1/orders/"


@pytest.fixture(autouse=True)
def patient(away: Cluster, settings: Settings) -> None:
    settings.DATABASE_PATIENCE = 30


@pytest.fixture
def bar(away: Cluster) -> Bar:
    return Bar()


def browser(role: str = "manager") -> Client:
    client = Client(raise_request_exception=False, enforce_csrf_checks=True)
    client.force_login(person(role))
    return client


# --- a server that is killed and started again ------------------------------------------------------------


def test_a_page_waits_until_the_server_runs_again(away: Cluster) -> None:
    client = browser()
    away.kill()
    page = Meanwhile(lambda: client.get("/admin/inventory/category/"))
    page.wait_until_it_waits()
    away.start()
    assert page.result().status_code == 200


def test_an_order_under_a_key_waits_too_and_is_placed_once(away: Cluster, bar: Bar) -> None:
    away.kill()
    order = Meanwhile(bar.order)
    order.wait_until_it_waits()
    away.start()
    answer = order.result()
    assert answer.status_code == 201
    assert "Idempotency-Replayed" not in answer
    assert bar.sold() == 1


def test_a_form_of_somebody_who_is_signed_in_is_saved_when_the_server_is_back(away: Cluster) -> None:
    client = browser()
    token = token_of(client.get("/admin/inventory/category/add/"))
    away.kill()
    form = {"name": "Interrupted", "position": "1", "csrfmiddlewaretoken": token, "_save": "Save"}
    saved = Meanwhile(lambda: client.post("/admin/inventory/category/add/", form))
    saved.wait_until_it_waits()
    away.start()
    answer = saved.result()
    assert (answer.status_code, answer.headers.get("Location")) == (302, "/admin/inventory/category/")
    assert Category.objects.filter(name="Interrupted").count() == 1


def test_probes_do_not_wait(away: Cluster) -> None:
    away.kill()
    client = Client()
    assert client.get("/health/live").json() == {"status": "ok"}
    ready = client.get("/health/ready")
    assert (ready.status_code, ready.json()["checks"]["database"]["ok"]) == (503, False)


# --- one that stays away -----------------------------------------------------------------------------------


def test_a_page_that_waited_in_vain_says_so_and_looks_again(away: Cluster, settings: Settings) -> None:
    settings.DATABASE_PATIENCE = 0.1
    client = browser()
    away.kill()
    page = client.get("/admin/inventory/category/", headers={"accept-language": "en"})
    assert (page.status_code, page.headers["Retry-After"], page.headers["Cache-Control"]) == (503, "5", "no-store")
    assert "The shop can't reach its database just now." in unescape(page.content.decode())
    assert '<meta http-equiv="refresh" content="5">' in page.content.decode()
    away.start()
    assert client.get("/admin/inventory/category/").status_code == 200


@pytest.mark.parametrize(
    ("method", "key", "advice"),
    [
        ("get", "", "Ask again in a moment."),
        ("post", "", "Nothing was done: send it again in a moment."),
        ("post", "once", "Nothing was done: send it again in a moment."),
    ],
)
def test_a_program_is_told_what_it_can_do(
    away: Cluster, bar: Bar, settings: Settings, method: str, key: str, advice: str
) -> None:
    settings.DATABASE_PATIENCE = 0.1
    away.kill()
    headers = {"Idempotency-Key": key} if key else {}
    answer = bar.till.call(method, "orders/", bar.body, **headers)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert json.loads(answer.content) == {
        "type": "database_unavailable",
        "detail": f"The database does not answer. {advice}",
    }
    away.start()
    assert bar.sold() == 0


def test_who_was_interrupted_in_the_middle_is_told_to_use_the_same_key(
    away: Cluster, bar: Bar, settings: Settings
) -> None:
    settings.DATABASE_PATIENCE = 0.1

    def kills(execute: Any, sql: str, *arguments: Any) -> Any:
        if sql.startswith('INSERT INTO "orders_orderitem"'):
            away.kill()
        return execute(sql, *arguments)

    connection.ensure_connection()
    with connection.execute_wrapper(kills):
        answer = bar.order(key="till-8")
    assert answer.status_code == 503
    assert answer.json()["detail"].endswith("Send it again with the same key: it is done once.")
    away.start()
    assert [bar.order(key="till-8").status_code for _ in range(2)] == [201, 201]
    assert bar.sold() == 1


def test_a_browser_is_answered_in_its_language(away: Cluster, settings: Settings) -> None:
    settings.DATABASE_PATIENCE = 0
    client = browser()
    away.kill()
    page = client.get("/admin/", headers={"accept-language": "ru,en;q=0.5"})
    assert (page.status_code, page.headers["Content-Language"]) == (503, "ru")
    assert '<html lang="ru">' in page.content.decode()


def test_with_the_middleware_off_it_is_a_failure_of_ours(away: Cluster, bar: Bar, settings: Settings) -> None:
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "DatabaseMiddleware" not in name]
    client = browser()
    bar.till.client.handler.load_middleware()
    away.kill()
    assert client.get("/admin/inventory/category/").status_code == 500
    assert bar.order().status_code == 500


# --- a connection that breaks in the middle ----------------------------------------------------------------


def test_a_list_is_read_again_wherever_it_was_interrupted(bar: Bar) -> None:
    def read() -> Any:
        return bar.till.client.get(ORDERS)

    bar.order()
    expected = read().json()
    for number in range(1, statements_of(read) + 1):
        with sent_away_before(number):
            answer = read()
        assert (answer.status_code, answer.json()) == (200, expected), number


def test_an_order_under_a_key_is_there_once_wherever_it_was_interrupted(bar: Bar) -> None:
    statements = statements_of(bar.order)
    for number in range(1, statements + 1):
        with sent_away_before(number):
            answer = bar.order()
        assert (answer.status_code, bar.sold()) == (201, number + 1), number
    assert statements > 10


def test_an_order_without_a_key_is_not_tried_again_once_it_has_begun(bar: Bar) -> None:
    # At the door: whose token it is, and what its owner may do. The last one reads what was committed before it.
    door, last = 3, statements_of(lambda: bar.order(key="-"))
    for number in range(1, last + 1):
        before = bar.sold()
        with sent_away_before(number):
            answer = bar.order(key="-")
        if number <= door:
            assert (answer.status_code, bar.sold()) == (201, before + 1), number
        else:
            assert (answer.status_code, bar.sold()) == (503, before + (number == last)), number
            assert answer.json()["detail"].endswith("It may have been done or not: look before you send it again.")


def test_a_page_of_the_admin_is_read_again_wherever_it_was_interrupted(bar: Bar) -> None:
    client = browser()

    def read() -> Any:
        return client.get("/admin/inventory/category/")

    for number in range(1, statements_of(read) + 1):
        with sent_away_before(number):
            assert read().status_code == 200, number


def test_a_form_whose_work_had_begun_says_that_nobody_knows(bar: Bar) -> None:
    client = browser()
    token = token_of(client.get("/admin/inventory/category/add/"))
    form = {"name": "Half way", "position": "1", "csrfmiddlewaretoken": token, "_save": "Save"}

    def saves(execute: Any, sql: str, *arguments: Any) -> Any:
        if sql.startswith('INSERT INTO "inventory_category"'):
            send_away()
        return execute(sql, *arguments)

    connection.ensure_connection()
    with connection.execute_wrapper(saves):
        page = client.post("/admin/inventory/category/add/", form)
    assert page.status_code == 503
    assert "It may have been done or not: look before you send it again." in page.content.decode()
    assert "http-equiv" not in page.content.decode()
    assert not Category.objects.filter(name="Half way").exists()


def test_a_key_that_is_used_again_afterwards_gets_the_same_answer(bar: Bar) -> None:
    with sent_away_before(5):
        first = bar.order(key="till-7")
    again = bar.order(key="till-7")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.content == first.content
    assert bar.sold() == 1


# --- what it costs and does not do -------------------------------------------------------------------------


def test_a_request_that_goes_well_costs_no_query_more(
    bar: Bar, settings: Settings, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with_it = statements_of(lambda: bar.order())
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "DatabaseMiddleware" not in name]
    bar.till.client.handler.load_middleware()
    assert statements_of(lambda: bar.order()) == with_it
    with django_assert_num_queries(0):
        assert Client().get("/health/live").status_code == 200


def test_another_fault_is_a_failure_as_ever(bar: Bar) -> None:
    def breaks(execute: Any, sql: str, parameters: Any, *rest: Any) -> Any:
        return execute("SELECT nobody", None, *rest) if "orders" in sql else execute(sql, parameters, *rest)

    with connection.execute_wrapper(breaks):
        answer = bar.till.client.get(ORDERS)
    assert (answer.status_code, answer.json()["type"]) == (500, "server_error")


def test_a_body_that_is_too_large_to_be_kept_is_not_sent_twice(bar: Bar, settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 50
    with sent_away_before(1):
        answer = bar.order(comment="x" * 60)
    assert (answer.status_code, bar.sold()) == (503, 0)


def token_of(page: Any) -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.content.decode())
    assert found is not None
    return found[1]
