"""The stand-in goes wrong on demand, in each of the ways in which a marketplace does."""

import json
import time
from collections.abc import Callable

import pytest
import requests

from tests.marketplaces.standin import Standin


@pytest.fixture
def order(standin: Standin) -> str:
    standin.allegro.offer(sku="1", pieces=9)
    return standin.allegro.order(("1", 2))


def form(standin: Standin, order: str) -> requests.Response:
    return standin.allegro.call("GET", f"/order/checkout-forms/{order}")


def test_so_many_answers_are_faults_and_the_next_is_right_again(standin: Standin, order: str):
    standin.misbehave("/order/checkout-forms/", status=500, times=2, skip=1)
    standin.misbehave("/order/checkout-forms/", status=429, headers={"Retry-After": "7"}, skip=1)
    answers = [form(standin, order) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200, 500, 500, 200, 429, 200]
    assert answers[4].headers["Retry-After"] == "7"
    standin.misbehave("/order/checkout-forms/", status=503, times=0)
    assert [form(standin, order).status_code for _ in range(3)] == [503, 503, 503]
    standin.calm()
    assert form(standin, order).status_code == 200


def test_a_page_of_html_and_json_that_ends_too_soon_are_no_json(standin: Standin, order: str):
    standin.misbehave("/order/checkout-forms/", html=True)
    answer = form(standin, order)
    assert (answer.status_code, answer.headers["Content-Type"]) == (502, "text/html")
    standin.misbehave("/order/checkout-forms/", html=True, status=200)
    assert form(standin, order).text.startswith("<!DOCTYPE html>")
    standin.misbehave("/order/checkout-forms/", truncate=True)
    with pytest.raises(json.JSONDecodeError):
        json.loads(form(standin, order).text)


def test_fields_are_dropped_set_and_turned_into_text_in_every_entry_of_a_list(standin: Standin, order: str):
    whole = form(standin, order).json()
    standin.misbehave("/order/checkout-forms/", drop="lineItems.offer.id")
    told = form(standin, order).json()
    assert "id" not in told["lineItems"][0]["offer"]
    standin.misbehave("/order/checkout-forms/", put={"status": "NEVER_SEEN"}, as_text="lineItems.quantity")
    told = form(standin, order).json()
    assert (told["status"], told["lineItems"][0]["quantity"]) == ("NEVER_SEEN", "2")
    assert form(standin, order).json() == whole


def test_a_connection_is_cut_before_or_in_the_middle_of_an_answer(standin: Standin, order: str):
    path = f"/order/checkout-forms/{order}/fulfillment"
    for rule, status in (({"cut": "before"}, "NEW"), ({"cut": "before", "is_applied": True}, "PROCESSING")):
        standin.misbehave("/fulfillment$", **rule)
        with pytest.raises(requests.ConnectionError):
            standin.allegro.call("PUT", path, json={"status": "PROCESSING"})
        assert standin.allegro[order].fulfilment == status
    standin.misbehave("/order/checkout-forms/", cut="middle")
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        form(standin, order)


def test_a_late_answer_runs_into_the_callers_patience_though_the_deed_is_done(standin: Standin, order: str):
    standin.misbehave("/fulfillment$", delay=30)
    with pytest.raises(requests.ReadTimeout):
        requests.put(
            f"{standin.url}/allegro/order/checkout-forms/{order}/fulfillment",
            json={"status": "PROCESSING"},
            headers=standin.allegro.headers(),
            timeout=0.3,
        )
    until(lambda: standin.allegro[order].fulfilment == "PROCESSING")


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)
