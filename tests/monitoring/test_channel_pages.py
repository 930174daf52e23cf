"""Channels, rules and messages in the admin and over REST."""

import datetime
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from monitoring.models import Alert, AlertRule, Channel, Delivery, DeliveryAlert
from tests.monitoring.bot_api import TOKEN, BotApiStandin, bot_api
from tests.monitoring.conftest import LATE, LOW
from tests.rest import Rest
from users.models import User

pytestmark = pytest.mark.django_db

CHANNELS, TELEGRAM = "/admin/monitoring/channel/", "/admin/monitoring/channel/telegram/"
RULES, DELIVERIES = "/admin/monitoring/alertrule/", "/admin/monitoring/delivery/"
SECRET = "https://till.example/hook/very-secret-path"
KEY = "key-of-the-signature"


@pytest.fixture
def admin() -> Client:
    user = User.objects.create_user("boss@shop.example", is_staff=True, name="Maria")
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="monitoring"))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def office() -> Channel:
    return Channel.objects.create(name="Office", kind=Channel.Kind.EMAIL, address="ann@shop.example")


@pytest.fixture
def telegram(settings: Any) -> Iterator[BotApiStandin]:
    with bot_api() as standin:
        settings.TELEGRAM_API_URL = standin.url
        settings.TELEGRAM_BOT_TOKEN = ""
        yield standin


def message_to(channel: Channel, *alerts: Alert, **more: Any) -> Delivery:
    at = timezone.now()
    given = {"status": Delivery.Status.GIVEN_UP, "title": "Low stock", "text": "Milk is low", "rendered_at": at, **more}
    delivery = Delivery.objects.create(
        channel=channel, kind=Delivery.Kind.ALERT, give_up_at=at + datetime.timedelta(days=3), **given
    )
    for alert in alerts:
        DeliveryAlert.objects.create(delivery=delivery, channel=channel, alert=alert, kind=Delivery.Kind.ALERT)
    return delivery


def alert(subject: str = "milk", **more: Any) -> Alert:
    return Alert.objects.create(**{"event": LOW, "severity": "warning", "subject": subject, "message": "Low", **more})


def said(response: Any) -> str:
    text: str = response.content.decode()
    return text


# --- channels -----------------------------------------------------------------------------------------------


def test_what_is_stored_of_a_channel_is_shown_to_nobody_again(admin: Client) -> None:
    body = {"name": "Till", "address": SECRET, "secret": KEY, "language": "ru"}
    added = admin.post(f"{CHANNELS}new/webhook/", body, follow=True)

    channel = Channel.objects.get()
    assert (channel.kind, channel.address, channel.secret, channel.language) == ("webhook", SECRET, KEY, "ru")
    pages = [
        added,
        *(admin.get(f"{CHANNELS}{page}") for page in ("", f"{channel.pk}/change/", f"{channel.pk}/verb/address/")),
        # Nor is it when something else has to be put right.
        admin.post(f"{CHANNELS}new/webhook/", {**body, "name": ""}),
        admin.post(f"{CHANNELS}{channel.pk}/verb/address/", {"address-address": SECRET, "address-secret": "short"}),
    ]
    assert all("very-secret-path" not in said(page) and KEY not in said(page) for page in pages)
    assert Channel.objects.count() == 1


def test_a_wrong_address_is_said_at_its_field_and_nothing_is_stored(admin: Client, office: Channel) -> None:
    answer = admin.post(
        f"{CHANNELS}new/webhook/", {"name": "Till", "address": "ftp://x", "secret": "", "language": "en"}
    )
    assert "begins with https://" in said(answer)
    answer = admin.post(f"{CHANNELS}{office.pk}/verb/address/", {"address-address": "nobody"})
    assert "no e-mail address" in said(answer)

    office.refresh_from_db()
    assert (Channel.objects.count(), office.address) == (1, "ann@shop.example")


def test_a_channel_that_no_key_opens_can_still_be_looked_at_and_given_another_address(
    admin: Client, office: Channel
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE monitoring_channel SET address = 'gAAAAA-nobody-opens-this'")

    assert admin.get(CHANNELS).status_code == 200
    assert admin.get(f"{CHANNELS}{office.pk}/change/").status_code == 200


def test_a_test_message_arrives_and_what_was_refused_is_said(admin: Client, office: Channel, settings: Any) -> None:
    answer = admin.post(f"{CHANNELS}{office.pk}/verb/test/", follow=True)
    assert "A test message has gone to “Office”" in said(answer)
    assert [one.to for one in mail.outbox] == [["ann@shop.example"]]

    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    answer = admin.post(f"{CHANNELS}{office.pk}/verb/test/", follow=True)
    assert "mail server can&#x27;t be reached" in said(answer)
    assert list(Delivery.objects.order_by("pk").values_list("kind", "status")) == [
        ("test", "sent"),
        ("test", "given_up"),
    ]


def test_quiet_hours_need_both_ends(admin: Client, office: Channel) -> None:
    form = {"name": "Office", "language": "en", "quiet_lets_through": "critical", "hourly_limit": "30"}

    answer = admin.post(f"{CHANNELS}{office.pk}/change/", {**form, "quiet_from": "22:00"})
    assert "Quiet hours have a beginning and an end." in said(answer)

    admin.post(f"{CHANNELS}{office.pk}/change/", {**form, "quiet_from": "22:00", "quiet_until": "07:00"})
    office.refresh_from_db()
    assert (office.quiet_from, office.quiet_until) == (datetime.time(22), datetime.time(7))
    assert office.address == "ann@shop.example"


# --- Telegram, step by step ---------------------------------------------------------------------------------


def test_a_telegram_chat_is_connected_step_by_step(admin: Client, telegram: BotApiStandin) -> None:
    telegram.add_chat(42, first_name="Ann <b>", last_name="Lee")
    telegram.add_chat(7, first_name="Stranger")

    begun = admin.post(TELEGRAM, {"do": "token", "name": "Ann's phone", "token": TOKEN, "language": "en"}, follow=True)
    assert "@samovar_test_bot" in said(begun)
    assert "Nobody has written to the bot yet" in said(admin.post(TELEGRAM, {"do": "look"}))

    code = admin.session["telegram_channel"]["code"]
    telegram.somebody_writes(42, f"/start {code}")
    telegram.somebody_writes(7, "hello")
    found = said(admin.post(TELEGRAM, {"do": "look"}))
    # Whoever opened the bot from this page comes first, and is marked.
    assert 0 < found.index("Ann &lt;b&gt; Lee") < found.index("opened from this page") < found.index("Stranger")

    done = admin.post(TELEGRAM, {"do": "choose", "chat": "42"}, follow=True)
    assert "is connected. A test message has gone there" in said(done)
    channel = Channel.objects.get()
    assert (channel.name, channel.kind, channel.address, channel.secret) == ("Ann's phone", "telegram", "42", TOKEN)
    assert len(telegram.texts(42)) == 1
    assert "telegram_channel" not in admin.session
    assert all(TOKEN not in said(page) for page in (begun, done))


def test_the_token_is_in_the_session_only_encrypted(admin: Client, telegram: BotApiStandin) -> None:
    admin.post(TELEGRAM, {"do": "token", "name": "x", "token": TOKEN, "language": "en"})

    assert TOKEN not in str(dict(admin.session.items()))
    admin.post(TELEGRAM, {"do": "begin"})
    assert "telegram_channel" not in admin.session


def test_what_telegram_refuses_is_said_and_nothing_is_stored(admin: Client, telegram: BotApiStandin) -> None:
    def try_token(token: str) -> str:
        return said(admin.post(TELEGRAM, {"do": "token", "name": "x", "token": token, "language": "en"}))

    assert "Enter the token that BotFather gave you." in try_token("")
    assert "This is no bot token." in try_token("nonsense")
    unknown = try_token("1:" + "A" * 35)
    assert "does not know this token" in unknown
    assert "A" * 35 not in unknown
    telegram.next = ["cut"]
    assert "be reached" in try_token(TOKEN)
    # Without the first step there is no second one.
    assert admin.post(TELEGRAM, {"do": "choose", "chat": "42"}).status_code == 302

    assert "telegram_channel" not in admin.session
    assert Channel.objects.count() == 0


def test_a_chat_that_takes_no_message_is_stored_and_said_to_take_none(admin: Client, telegram: BotApiStandin) -> None:
    admin.post(TELEGRAM, {"do": "token", "name": "Ann", "token": TOKEN, "language": "en"})
    assert "Enter the id of the chat" in said(admin.post(TELEGRAM, {"do": "choose", "chat": "Ann"}))

    done = admin.post(TELEGRAM, {"do": "choose", "chat": "42"}, follow=True)

    assert "the test message was not taken. Telegram: Bad Request: chat not found" in said(done)
    assert Channel.objects.get().name == "Ann"


# --- rules --------------------------------------------------------------------------------------------------


def rule_form(channel: Channel, **more: Any) -> dict[str, Any]:
    return {
        "name": "Store room",
        "is_enabled": "on",
        "severity": "warning",
        "events": [LOW],
        "channels": [channel.pk],
        "group_seconds": "60",
        "repeat_minutes": "30",
        "tells_resolution": "on",
        **more,
    }


def test_a_rule_names_its_events_by_their_titles(admin: Client, office: Channel) -> None:
    page = said(admin.get(f"{RULES}add/"))
    assert "Low stock" in page
    assert page.count(f'value="{LOW}"') == 1

    admin.post(f"{RULES}add/", rule_form(office))
    rule = AlertRule.objects.get()
    assert (rule.events, rule.severity, rule.group_seconds, rule.repeat_minutes) == ([LOW], "warning", 60, 30)
    assert list(rule.channels.all()) == [office]
    assert "Low stock" in said(admin.get(RULES))

    admin.post(f"{RULES}{rule.pk}/change/", rule_form(office, events=[LOW, LATE], repeat_minutes=""))
    rule.refresh_from_db()
    assert (sorted(rule.events), rule.repeat_minutes) == ([LATE, LOW], None)


def test_a_rule_without_a_channel_and_one_whose_name_is_taken_are_refused(admin: Client, office: Channel) -> None:
    admin.post(f"{RULES}add/", rule_form(office))

    assert admin.post(f"{RULES}add/", rule_form(office, name="Other", channels=[])).status_code == 200
    assert admin.post(f"{RULES}add/", rule_form(office)).status_code == 200

    assert AlertRule.objects.count() == 1


# --- messages -----------------------------------------------------------------------------------------------


def test_a_message_says_what_it_said_and_is_sent_again_by_who_may(admin: Client, office: Channel) -> None:
    milk = alert()
    delivery = message_to(office, milk, text="Milk <b>is</b> low", last_error="550 refused", picture=b"\x89PNG")

    page = said(admin.get(f"{DELIVERIES}{delivery.pk}/change/"))
    assert "Milk &lt;b&gt;is&lt;/b&gt; low" in page
    assert "550 refused" in page
    assert "data:image/png;base64,iVBORw==" in page
    assert "Low stock" in said(admin.get(f"/admin/monitoring/alert/{milk.pk}/change/"))

    admin.post(f"{DELIVERIES}{delivery.pk}/verb/retry/")
    delivery.refresh_from_db()
    assert delivery.status == Delivery.Status.WAITING


def test_lists_and_pages_take_a_number_of_queries_that_does_not_grow(admin: Client, office: Channel) -> None:
    def number(path: str) -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert admin.get(path).status_code == 200
        return len(queries)

    rule = AlertRule.objects.create(name="One", events=[LOW])
    rule.channels.add(office)
    delivery = message_to(office, alert())
    milk = Alert.objects.get()
    paths = [
        *(CHANNELS, RULES, DELIVERIES, f"{CHANNELS}{office.pk}/change/", f"{RULES}{rule.pk}/change/"),
        *(f"{DELIVERIES}{delivery.pk}/change/", f"/admin/monitoring/alert/{milk.pk}/change/"),
    ]
    for path in paths:
        number(path)
    before = [number(path) for path in paths]
    for place in range(10):
        channel = Channel.objects.create(name=f"C{place}", kind=Channel.Kind.EMAIL, address="a@shop.example")
        other = AlertRule.objects.create(name=f"R{place}", events=[LOW])
        other.channels.add(channel, office)
        message_to(channel, milk)
        DeliveryAlert.objects.create(
            delivery=delivery, channel=office, alert=alert(f"tea {place}"), kind=Delivery.Kind.ALERT
        )

    assert [number(path) for path in paths] == before
    assert max(before) <= 25


# --- REST ---------------------------------------------------------------------------------------------------


def test_programs_read_alerts_and_acknowledge_them(office: Channel) -> None:
    milk, tea = alert("milk"), alert("tea", severity="critical", resolved_at=timezone.now())
    rest = Rest.of("manager")

    assert [one["id"] for one in rest.get("alerts/")["results"]] == [tea.pk, milk.pk]
    (shown,) = rest.get("alerts/", open="true")["results"]
    assert (shown["title"], shown["message"], shown["count"]) == ("Low stock", "Low", 1)
    assert [one["subject"] for one in rest.get("alerts/", severity="critical")["results"]] == ["tea"]
    assert rest.get("alerts/", acknowledged="true")["results"] == []

    answer = rest.post(f"alerts/{milk.pk}/acknowledge/", {}, status=200)
    assert rest.user is not None
    assert answer["acknowledged_by"] == rest.user.pk
    rest.refused("post", "alerts/9999/acknowledge/", {}, status=404, kind="not_found")


def test_programs_see_channels_without_their_addresses_and_try_them() -> None:
    channel = Channel.objects.create(name="Till", kind=Channel.Kind.EMAIL, address="secret-box@shop.example")
    message_to(channel, status=Delivery.Status.WAITING)
    rest = Rest.of("admin")

    shown = rest.get(f"channels/{channel.pk}/")
    assert (shown["name"], shown["is_open"], shown["waiting"]) == ("Till", True, 1)
    assert "secret-box" not in str(shown)
    assert rest.post(f"channels/{channel.pk}/test/", {}, status=200)["status"] == "sent"
    assert [one.to for one in mail.outbox] == [["secret-box@shop.example"]]
    Rest.of("manager").refused("post", f"channels/{channel.pk}/test/", {}, status=403, kind="permission_denied")


def test_programs_read_messages_and_have_them_sent_again(office: Channel) -> None:
    milk = alert()
    lost, sent = message_to(office, milk), message_to(office, status=Delivery.Status.SENT)
    rest = Rest.of("admin")

    assert [one["id"] for one in rest.get("deliveries/", status="given_up")["results"]] == [lost.pk]
    (shown,) = rest.get("deliveries/", alert=milk.pk)["results"]
    assert (shown["alerts"], shown["channel"], shown["text"]) == ([milk.pk], office.pk, "Milk is low")
    assert rest.post(f"deliveries/{lost.pk}/retry/", {}, status=200)["status"] == "waiting"
    rest.refused("post", f"deliveries/{sent.pk}/retry/", {}, status=409, kind="wrong_status")


def test_programs_read_the_rules(office: Channel) -> None:
    rule = AlertRule.objects.create(name="All", events=[])
    rule.channels.add(office)

    (shown,) = Rest.of("manager").get("alert-rules/")["results"]

    assert (shown["name"], shown["events"], shown["channels"]) == ("All", [], [office.pk])
