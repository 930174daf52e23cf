"""A customer who agrees hears once that the order is ready, by e-mail or SMS."""

import json
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from inventory.models import Location
from monitoring.models import Channel
from monitoring.services.channels import add_channel, send_test
from orders.models import Customer, CustomerMessage, Order
from orders.services.customer_messages import forget_old_messages, send_next_message
from orders.services.transitions import complete_order, prepare_order, ready_order
from orders.tasks import send_customer_messages
from tests.shop import NOBODY, Shop, user_of

Tells = Location.TellsReady


class Gateway(ThreadingHTTPServer):
    """A service that sends SMS: it takes the texts at /<phone>, as apprise's json:// addresses have them, unless
    `answers` says otherwise."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Taker)
        self.taken: list[tuple[str, str]] = []
        self.answers = 200
        Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()


class Taker(BaseHTTPRequestHandler):
    server: Gateway

    def do_POST(self) -> None:
        said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.server.answers == 200:
            self.server.taken.append((self.path, said["message"]))
        self.send_response(self.server.answers)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    server = Gateway()
    yield server
    server.shutdown()
    server.server_close()


pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return Shop.open(tells_ready=Tells.SMS_OR_EMAIL)


def made_ready(shop: Shop, **customer: Any) -> Order:
    """An order of such a customer that stands on the counter."""
    person = Customer.objects.create(**{"name": "Ann", "consent": True, **customer})
    coffee = shop.product(f"Coffee {person.pk}")
    order = shop.sell(coffee, customer_id=person.pk)
    prepare_order(order_id=order.pk, actor=NOBODY)
    return ready_order(order_id=order.pk, actor=NOBODY)


def connect(gateway: Gateway) -> Channel:
    address = f"json://127.0.0.1:{gateway.server_port}/{{phone}}"
    return add_channel(kind="sms", name="Gateway", address=address, at=timezone.now())


def told() -> list[tuple[str, str, int]]:
    return list(CustomerMessage.objects.order_by("pk").values_list("status", "means", "attempts"))


def test_who_gave_an_email_gets_a_mail_once(shop):
    order = made_ready(shop, email="ann@example.com")
    send_customer_messages()
    send_customer_messages()
    (letter,) = mail.outbox
    assert letter.to == ["ann@example.com"]
    assert letter.subject == "Samovar: your order is ready"
    assert letter.body == f"Your order #{order.number} is ready: Main Street.\n"
    assert told() == [("sent", "email", 1)]


@pytest.mark.django_db(transaction=True)
def test_a_test_of_the_gateway_goes_to_the_number_that_is_named(gateway):
    tried = send_test(channel_id=connect(gateway).pk, phone="+66 81 234-56-78", at=timezone.now())
    assert (tried.status, tried.last_error) == ("sent", "")
    assert gateway.taken == [("/66812345678", "If you can read this, “Gateway” works.")]


def test_who_gave_a_phone_gets_an_sms_through_the_shops_gateway(shop, gateway):
    connect(gateway)
    order = made_ready(shop, phone="+66812345678", email="ann@example.com")
    send_customer_messages()
    assert gateway.taken == [("/66812345678", f"Samovar. Your order #{order.number} is ready: Main Street.")]
    assert mail.outbox == []
    assert told() == [("sent", "sms", 1)]


@pytest.mark.parametrize(
    ("tells", "customer"),
    [
        (Tells.SMS_OR_EMAIL, {"email": "ann@example.com", "consent": False}),
        ("", {"email": "ann@example.com"}),
    ],
    ids=["who does not agree", "where the location tells nobody"],
)
def test_nobody_is_told(shop, tells, customer):
    Location.objects.update(tells_ready=tells)
    made_ready(shop, **customer)
    send_customer_messages()
    assert (mail.outbox, told()) == ([], [])


def test_who_left_no_contact_that_is_used_here_is_not_told(shop):
    Location.objects.update(tells_ready=Tells.EMAIL)
    made_ready(shop, phone="+66812345678")
    send_customer_messages()
    assert (mail.outbox, told()) == ([], [("dropped", "", 0)])


def test_whoever_takes_the_consent_back_is_not_told_any_more(shop):
    made_ready(shop, email="ann@example.com")
    Customer.objects.update(consent=False)
    send_customer_messages()
    assert (mail.outbox, told()) == ([], [("dropped", "", 0)])


def test_who_has_fetched_the_order_is_not_told(shop):
    order = made_ready(shop, email="ann@example.com")
    complete_order(order_id=order.pk, actor=NOBODY, allow_unpaid=True)
    send_customer_messages()
    assert (mail.outbox, told()) == ([], [("dropped", "", 0)])


def test_a_gateway_that_fails_is_asked_again_and_the_reason_kept(shop, gateway):
    connect(gateway)
    made_ready(shop, phone="+66812345678")
    gateway.answers = 503
    now = timezone.now()
    assert send_next_message(now=now)
    assert not send_next_message(now=now + timedelta(seconds=9))
    assert told() == [("waiting", "sms", 1)]
    assert "66812345678" not in CustomerMessage.objects.get().last_error
    gateway.answers = 200
    assert send_next_message(now=now + timedelta(seconds=11))
    assert told() == [("sent", "sms", 2)]
    assert len(gateway.taken) == 1


def test_without_a_gateway_it_waits_for_one_half_an_hour_at_most(shop, gateway):
    made_ready(shop, phone="+66812345678")
    now = timezone.now()
    assert send_next_message(now=now)
    assert CustomerMessage.objects.get().last_error == "There is no channel for messages to customers."
    connect(gateway)
    assert send_next_message(now=now + timedelta(minutes=31))
    assert gateway.taken == []
    assert told() == [("failed", "sms", 1)]


def test_a_message_whose_worker_died_while_sending_is_sent_again_a_little_later(shop, monkeypatch):
    made_ready(shop, email="ann@example.com")
    monkeypatch.setattr("orders.services.customer_messages.deliver", lambda *_given: (_ for _ in ()).throw(SystemExit))
    now = timezone.now()
    with pytest.raises(SystemExit):
        send_next_message(now=now)
    monkeypatch.undo()
    assert not send_next_message(now=now + timedelta(seconds=89))
    assert send_next_message(now=now + timedelta(seconds=91))
    assert len(mail.outbox) == 1
    assert told() == [("sent", "email", 2)]


def test_messages_of_long_ago_are_forgotten(shop):
    made_ready(shop, email="ann@example.com")
    send_customer_messages()
    assert forget_old_messages(now=timezone.now() + timedelta(days=89)) == 0
    assert forget_old_messages(now=timezone.now() + timedelta(days=91)) == 1


def test_an_order_without_a_customer_costs_no_query_more(shop, django_assert_num_queries):
    order = shop.sell(shop.product("Tea"))
    prepare_order(order_id=order.pk, actor=NOBODY)
    with django_assert_num_queries(5):
        ready_order(order_id=order.pk, actor=NOBODY)


def test_the_manager_sees_what_customers_were_told(shop, client):
    order = made_ready(shop, email="ann@example.com")
    send_customer_messages()
    client.force_login(user_of("manager"))
    page = client.get("/admin/orders/customermessage/")
    assert page.status_code == 200
    assert f"#{order.number}" in page.content.decode()
    assert "ann@example.com" not in page.content.decode()
