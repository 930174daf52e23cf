"""Messages to programs: what is posted, how it is signed, and what the answers mean."""

import datetime
import hashlib
import hmac
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from monitoring.channels import (
    Address,
    ChannelBusy,
    ChannelError,
    ChannelRefused,
    ChannelUnreachable,
    Message,
    MessageRefused,
    send,
    sending,
    wire,
)
from tests.marketplaces.faulty_server import FaultyServer, Reply, faulty_server

KEY = "a key of sixteen and more characters"
MESSAGE = Message(
    key="0199-1",
    title="Low stock",
    text='Sugar <b>"50 %"</b>',
    severity="warning",
    data={"left": Decimal("0.300"), "at": datetime.date(2026, 11, 22), "odd": {1}.__class__},
)


@pytest.fixture
def receiver() -> Iterator[FaultyServer]:
    with faulty_server() as server:
        server.answer(Reply(204))
        yield server


def address(receiver: FaultyServer, secret: str = KEY) -> Address:
    return Address(kind="webhook", address=f"{receiver.url}/hook/s3cr3t", secret=secret, language="en", name="Till")


def test_a_program_gets_the_message_as_json_and_can_prove_whose_it_is(receiver: FaultyServer) -> None:
    send(address(receiver), MESSAGE)

    (request,) = receiver.received
    assert (request.method, request.path) == ("POST", "/hook/s3cr3t")
    body = request.json
    assert body | {"data": None} == {
        "id": "0199-1",
        "severity": "warning",
        "title": "Low stock",
        "text": 'Sugar <b>"50 %"</b>',
        "data": None,
        "picture": None,
    }
    assert (body["data"]["left"], body["data"]["at"]) == ("0.300", "2026-11-22")
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["Idempotency-Key"] == request.headers["X-Samovar-Delivery"] == "0199-1"
    at, digest = (part.partition("=")[2] for part in request.headers["X-Samovar-Signature"].split(","))
    assert digest == hmac.new(KEY.encode(), f"{at}.".encode() + request.body, hashlib.sha256).hexdigest()


def test_without_a_key_nothing_is_signed(receiver: FaultyServer) -> None:
    send(address(receiver, secret=""), MESSAGE)

    assert "X-Samovar-Signature" not in receiver.received[0].headers


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(500), ChannelUnreachable),
        (Reply(503), ChannelUnreachable),
        (Reply(404), ChannelUnreachable),
        (Reply(401), ChannelUnreachable),
        (Reply(410), ChannelRefused),
        (Reply(422), MessageRefused),
        (Reply(413), MessageRefused),
        (Reply(302, headers={"Location": "/elsewhere"}), ChannelUnreachable),
        (Reply(200, b"half", cut=2), ChannelUnreachable),
        (Reply(200, b"x" * (wire.LARGEST_ANSWER + 1)), ChannelUnreachable),
    ],
)
def test_what_is_no_success_is_understood(receiver: FaultyServer, reply: Reply, error: type[ChannelError]) -> None:
    receiver.answer(reply)

    with pytest.raises(error) as caught:
        send(address(receiver), MESSAGE)

    assert type(caught.value) is error
    assert "s3cr3t" not in f"{caught.value} {caught.value.__context__!r}"
    # A redirect is not followed, and nothing is sent twice.
    assert len(receiver.received) == 1


@pytest.mark.parametrize(
    ("status", "asked", "seconds"), [(429, "120", 120), (503, "5", 5), (429, "", 60), (429, "99999999", 86_400)]
)
def test_a_receiver_may_ask_to_be_left_alone(receiver: FaultyServer, status: int, asked: str, seconds: int) -> None:
    receiver.answer(Reply(status, headers={"Retry-After": asked}))

    with pytest.raises(ChannelBusy) as busy:
        send(address(receiver), MESSAGE)

    assert busy.value.retry_after == seconds


def test_a_date_to_wait_for_is_understood_too() -> None:
    assert wire.asked_to_wait({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 1


def test_a_sending_that_never_ends_is_left_and_not_begun_again_before_it_has(
    receiver: FaultyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "LONGEST_SEND", 0.3)
    receiver.answer(Reply(hang=True), Reply(204))

    with pytest.raises(ChannelUnreachable, match="No answer in time"):
        send(address(receiver), MESSAGE)
    with pytest.raises(ChannelUnreachable, match="has not ended yet"):
        send(address(receiver), MESSAGE)
    assert len(receiver.received) == 1

    (thread,) = sending._overdue.values()
    receiver.stopped.set()
    thread.join(20)
    send(address(receiver), MESSAGE)
    assert len(receiver.received) == 2
    assert sending._overdue == {}


def test_a_fault_of_our_own_is_tried_again_and_tells_nothing(
    receiver: FaultyServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_arguments: Any) -> None:
        raise RuntimeError(f"no {KEY}")

    monkeypatch.setitem(sending.SENDERS, "webhook", broken)  # type: ignore[arg-type]

    with pytest.raises(ChannelUnreachable, match="RuntimeError") as caught:
        send(address(receiver), MESSAGE)

    assert KEY not in caplog.text + f"{caught.value} {caught.value.__context__!r}"


def test_a_picture_travels_as_text(receiver: FaultyServer) -> None:
    send(address(receiver), Message(key="k", title="t", text="x", severity="info", picture=b"\x89PNG"))

    assert json.loads(receiver.received[0].body)["picture"] == "iVBORw=="
