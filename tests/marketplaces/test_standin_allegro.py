"""The stand-in's Allegro: the pitfalls that its clients must survive are there."""

import uuid
from typing import Any

import requests

from tests.marketplaces.standin import KEYS, Standin

DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
CLIENT = (KEYS["allegro"]["client_id"], KEYS["allegro"]["client_secret"])


def ask_for_tokens(standin: Standin, **form: str) -> tuple[int, dict[str, Any]]:
    answer = requests.post(f"{standin.url}/allegro-auth/auth/oauth/token", data=form, auth=CLIENT, timeout=20)
    return answer.status_code, answer.json()


def begin(standin: Standin) -> dict[str, Any]:
    answer = requests.post(
        f"{standin.url}/allegro-auth/auth/oauth/device", data={"client_id": CLIENT[0]}, auth=CLIENT, timeout=20
    )
    assert answer.status_code == 200
    return answer.json()


def poll(standin: Standin, code: str) -> tuple[int, str]:
    status, data = ask_for_tokens(standin, grant_type=DEVICE, device_code=code)
    return status, data.get("error", "tokens")


def test_a_device_waits_is_told_to_slow_down_and_gets_its_tokens_once(standin: Standin):
    device = begin(standin)
    assert device["interval"] == 5
    code = device["device_code"]
    assert poll(standin, code) == (400, "authorization_pending")
    assert poll(standin, code) == (400, "slow_down")
    # Too early again: the interval has grown.
    standin.advance(6)
    assert poll(standin, code) == (400, "slow_down")
    standin.advance(16)
    assert poll(standin, code) == (400, "authorization_pending")
    page = requests.get(device["verification_uri_complete"], timeout=20)
    assert (page.status_code, "Allow</button>" in page.text, device["user_code"] in page.text) == (200, True, True)
    pressed = requests.post(
        device["verification_uri"], data={"code": device["user_code"], "decision": "allowed"}, timeout=20
    )
    assert pressed.status_code == 200
    standin.advance(16)
    assert poll(standin, code) == (200, "tokens")
    standin.advance(16)
    assert poll(standin, code) == (400, "invalid_request")


def test_a_refused_device_and_an_unknown_code_are_told_so(standin: Standin):
    device = begin(standin)
    assert standin.allegro.decide(device["user_code"], "refused")
    assert poll(standin, device["device_code"]) == (400, "access_denied")
    assert poll(standin, "never given") == (400, "invalid_request")
    assert not standin.allegro.decide("NEVER", "allowed")
    stranger = requests.post(
        f"{standin.url}/allegro-auth/auth/oauth/token", data={}, auth=(CLIENT[0], "wrong"), timeout=20
    )
    assert (stranger.status_code, stranger.json()["error"]) == (401, "invalid_client")


def test_an_exchanged_refresh_token_works_for_a_minute_more_and_then_never(standin: Standin):
    standin.ask(standin.world.clock.stop)
    old = standin.allegro.tokens()["refresh_token"]
    # It rotates, and nobody hears of it.
    standin.misbehave("/auth/oauth/token", is_applied=True, cut="before")
    try:
        ask_for_tokens(standin, grant_type="refresh_token", refresh_token=old)
        raise AssertionError("there was an answer")
    except requests.ConnectionError:
        pass
    standin.advance(59)
    status, again = ask_for_tokens(standin, grant_type="refresh_token", refresh_token=old)
    assert status == 200
    assert again["refresh_token"] != old
    standin.advance(2)
    status, refused = ask_for_tokens(standin, grant_type="refresh_token", refresh_token=old)
    assert (status, refused["error"]) == (400, "invalid_grant")
    assert ask_for_tokens(standin, grant_type="refresh_token", refresh_token=again["refresh_token"])[0] == 200
    assert ask_for_tokens(standin, grant_type="refresh_token", refresh_token="made up")[1]["error"] == "invalid_grant"


def test_an_access_token_ends_after_twelve_hours_or_when_it_is_taken_back(standin: Standin):
    headers = standin.allegro.headers()
    assert standin.allegro.call("GET", "/me", headers=headers).status_code == 200
    standin.allegro.expire_tokens()
    refused = standin.allegro.call("GET", "/me", headers=headers)
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_token")
    headers = standin.allegro.headers()
    assert standin.allegro.call("GET", "/me", headers=headers).status_code == 200
    standin.advance(43_200)
    assert standin.allegro.call("GET", "/me", headers=headers).status_code == 401


def test_the_journal_goes_on_after_the_last_event_and_may_say_things_twice(standin: Standin):
    shop = standin.allegro
    shop.offer(sku="1", pieces=9)
    first = shop.order(("1", 1), status="BOUGHT")
    shop.pay(first)
    shop.pay(first)
    shop.event(first, "READY_FOR_PROCESSING")
    events = shop.call("GET", "/order/events", params={"limit": 3}).json()["events"]
    assert [event["type"] for event in events] == ["BOUGHT", "FILLED_IN", "READY_FOR_PROCESSING"]
    rest = shop.call("GET", "/order/events", params={"from": events[-1]["id"]}).json()["events"]
    assert [(event["type"], event["order"]["checkoutForm"]["id"]) for event in rest] == [
        ("READY_FOR_PROCESSING", first)
    ]
    assert shop.call("GET", "/order/event-stats").json()["latestEvent"]["id"] == rest[0]["id"]
    assert shop.call("GET", "/order/events", params={"type": "BUYER_CANCELLED"}).json() == {"events": []}


def test_orders_paid_together_are_gone_and_their_lines_stand_in_a_new_one(standin: Standin):
    shop = standin.allegro
    shop.offer(sku="1", pieces=9)
    old = [shop.order(("1", 1)), shop.order(("1", 2))]
    lines = [line["id"] for id in old for line in shop.call("GET", f"/order/checkout-forms/{id}").json()["lineItems"]]
    new = shop.pay_together(*old)
    assert [shop.call("GET", f"/order/checkout-forms/{id}").status_code for id in old] == [404, 404]
    form = shop.call("GET", f"/order/checkout-forms/{new}").json()
    assert [line["id"] for line in form["lineItems"]] == lines
    assert shop.shown("1") == 6


def test_a_fulfilment_status_needs_the_newest_revision_and_an_order_that_allows_it(standin: Standin):
    shop = standin.allegro
    shop.offer(sku="1", pieces=9)
    order = shop.order(("1", 1))
    seen = shop.call("GET", f"/order/checkout-forms/{order}").json()
    path = f"/order/checkout-forms/{order}/fulfillment"
    rightly = {"checkoutForm.revision": seen["revision"]}
    assert shop.call("PUT", path, params=rightly, json={"status": "PROCESSING"}).status_code == 204
    assert shop.call("PUT", path, params=rightly, json={"status": "SENT"}).status_code == 409
    assert shop.call("PUT", path, json={"status": "RETURNED"}).status_code == 422
    # The buyer's word and the seller's are independent of each other.
    shop.cancel(order)
    form = shop.call("GET", f"/order/checkout-forms/{order}").json()
    assert (form["status"], form["fulfillment"]["status"]) == ("CANCELLED", "PROCESSING")
    assert shop.call("PUT", path, json={"status": "SENT"}).status_code == 422
    changed = shop.call(
        "GET", "/order/checkout-forms", params={"updatedAt.gte": seen["updatedAt"], "sort": "updatedAt"}
    )
    assert [form["id"] for form in changed.json()["checkoutForms"]] == [order]


def test_zero_is_refused_as_a_quantity_and_ends_the_offer_a_while_later_otherwise(standin: Standin):
    shop = standin.allegro
    shop.offer(sku="1", pieces=9)
    standin.settle(10)

    def command(kind: str, value: int, *skus: str, id: str = "") -> tuple[int, str]:
        body = {
            "modification": {"changeType": kind, "value": value},
            "offerCriteria": [{"type": "CONTAINS_OFFERS", "offers": [{"id": sku} for sku in skus]}],
        }
        id = id or str(uuid.uuid4())
        return shop.call("PUT", f"/sale/offer-quantity-change-commands/{id}", json=body).status_code, id

    def results(id: str) -> list[str]:
        tasks = shop.call("GET", f"/sale/offer-quantity-change-commands/{id}/tasks").json()["tasks"]
        return [task["status"] for task in tasks]

    assert command("FIXED", 0, "1")[0] == 422
    status, id = command("FIXED", 4, "1", "unknown")
    assert (status, results(id), shop.shown("1")) == (201, ["NEW", "NEW"], 9)
    assert command("FIXED", 5, "1", id=id)[0] == 409
    standin.advance(10)
    assert (results(id), shop.shown("1")) == (["SUCCESS", "FAIL"], 4)

    ending = shop.call("PATCH", "/sale/product-offers/1", json={"stock": {"available": 0}})
    assert (ending.status_code, "Location" in ending.headers) == (202, True)
    assert not shop.is_ended("1")
    standin.advance(10)
    assert shop.call("GET", "/sale/offers").json()["offers"][0]["publication"]["status"] == "ENDED"
    _status, id = command("FIXED", 7, "1")
    standin.advance(10)
    assert (results(id), shop.shown("1")) == (["FAIL"], 0)
    back = {"stock": {"available": 7}, "publication": {"status": "ACTIVE"}}
    assert shop.call("PATCH", "/sale/product-offers/1", json=back).status_code == 200
    assert (shop.shown("1"), shop.is_ended("1")) == (7, False)
    with standin.off_the_record():
        assert shop.call("GET", "/sale/offers/1").status_code == 403


def test_nine_thousand_a_minute_and_who_goes_on_asking_waits_longer(standin: Standin):
    standin.limits(on=True)
    limits = standin.world.limits
    name = "allegro allegro:client-1"
    for _ in range(9000):
        assert limits.wait(name, interval=60 / 9000, burst=9000) == 0
    refused = standin.allegro.call("GET", "/me")
    assert (refused.status_code, "Retry-After" in refused.headers) == (429, False)
    before = limits.empty_at[name]
    standin.allegro.call("GET", "/me")
    assert limits.empty_at[name] > before
    standin.advance(61)
    assert standin.allegro.call("GET", "/me").status_code == 200
