"""SMS and what else apprise speaks, against a receiver of its own kind of JSON."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from foundation.errors import InvalidInput
from monitoring.channels import Address, ChannelRefused, ChannelUnreachable, Message, send
from monitoring.channels.addresses import checked_address, checked_secret
from tests.marketplaces.faulty_server import FaultyServer, Reply, faulty_server

MESSAGE = Message(key="k-1", title="Low *stock*", text="Sugar <b>&</b> `milk`", severity="warning")


@pytest.fixture
def receiver() -> Iterator[FaultyServer]:
    with faulty_server() as server:
        server.answer(Reply(200))
        yield server


def address(receiver: FaultyServer, kind: str = "other") -> Address:
    url = f"json://user:s3cr3tword@127.0.0.1:{receiver.server_port}/path"
    return Address(kind=kind, address=url, secret="", language="en", name="Pager")


def test_a_service_gets_the_message_as_plain_text(receiver: FaultyServer) -> None:
    send(address(receiver), MESSAGE)

    (request,) = receiver.received
    told = {name: request.json[name] for name in ("title", "message", "type")}
    assert told == {"title": "Low *stock*", "message": "Sugar <b>&</b> `milk`", "type": "warning"}


def test_an_sms_is_short(receiver: FaultyServer) -> None:
    send(address(receiver, kind="sms"), Message(key="k", title="t", text="x" * 10_000, severity="critical"))

    text = receiver.received[0].json["message"]
    assert 295 <= len(text) <= 300
    assert text.endswith("more characters stand in the admin.")


def test_a_service_that_says_no_is_tried_again_and_its_address_told_to_nobody(
    receiver: FaultyServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    receiver.answer(Reply(403, {"message": "s3cr3tword"}))

    with pytest.raises(ChannelUnreachable, match="does not take the message") as caught:
        send(address(receiver), MESSAGE)

    # What apprise itself logs, answers and telephone numbers among it, goes nowhere.
    assert not logging.getLogger("apprise").propagate
    lines = " ".join(record.getMessage() for record in caplog.records if record.name != "apprise")
    assert "s3cr3tword" not in f"{caught.value} {caught.value.__context__!r} {lines}"


@pytest.mark.parametrize("url", ["", "nothing", "dbus://", "syslog://", "http//x", "json://["])
def test_what_is_no_service_elsewhere_is_refused(url: str) -> None:
    with pytest.raises(ChannelRefused):
        send(Address(kind="other", address=url, secret="", language="en", name="x"), MESSAGE)


@pytest.mark.parametrize(
    ("kind", "text", "stored"),
    [
        ("telegram", " -100123 ", "-100123"),
        ("telegram", "@shop_news", "@shop_news"),
        ("telegram", "Ann", None),
        ("email", "a@shop.example,b@shop.example,a@shop.example", "a@shop.example, b@shop.example"),
        ("email", "a@shop.example; b@shop.example", None),
        ("email", ",".join(f"{number}@shop.example" for number in range(11)), None),
        ("webhook", "https://till.example:8443/hook?x=1", "https://till.example:8443/hook?x=1"),
        ("webhook", "ftp://till.example/", None),
        ("webhook", "https://", None),
        ("webhook", "https://till.example/\r\nX: y", None),
        ("webhook", "https://till.example:99999/", None),
        ("sms", "ntfys://samovar-kitchen", "ntfys://samovar-kitchen"),
        ("other", "dbus://", None),
        ("other", "x" * 2001, None),
        ("other", "", None),
    ],
)
def test_an_address_is_looked_at_before_it_is_stored(kind: str, text: str, stored: str | None) -> None:
    if stored is not None:
        assert checked_address(kind=kind, address=text) == stored
        return
    with pytest.raises(InvalidInput) as refusal:
        checked_address(kind=kind, address=text)
    assert set(refusal.value.errors) == {"address"}


@pytest.mark.parametrize(
    ("kind", "text", "is_taken"),
    [
        ("telegram", "123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11", True),
        ("telegram", "https://t.me/bot", False),
        ("webhook", "sixteen letters!", True),
        ("webhook", "short", False),
        ("email", "something", False),
        ("email", "", True),
    ],
)
def test_a_secret_is_looked_at_before_it_is_stored(kind: str, text: str, is_taken: bool) -> None:
    refused: Any = None
    try:
        assert checked_secret(kind=kind, secret=text) == text
    except InvalidInput as refusal:
        refused = refusal
    assert (refused is None) is is_taken
