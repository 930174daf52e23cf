"""Connecting an Allegro account by a code: the service, the API and the admin's page."""

import base64
import datetime
import urllib.parse

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from marketplaces.choices import Marketplace
from marketplaces.clients import http
from marketplaces.errors import CallFailed, NoConnectionInProgress, NotByCode, NotConnected, UnknownAccount
from marketplaces.models import CredentialEvent, DeviceConnection, SellerAccount, SyncState
from marketplaces.services.connecting import begin_connection, check_connection
from marketplaces.services.key_alerts import CONNECTION_LOST, tell_connection_lost
from marketplaces.services.tokens import access_token
from monitoring.models import Alert
from tests.inventory.admin_pages import queries_of, said, signed_in, text_of
from tests.rest import Rest
from tests.shop import Shop

pytestmark = pytest.mark.django_db

TOKEN = "/auth/oauth/token"


@pytest.fixture(autouse=True)
def nobody_waits(monkeypatch):
    monkeypatch.setattr(http, "pause", lambda _seconds: None)


@pytest.fixture
def account(standin):
    return SellerAccount.objects.create(
        marketplace=Marketplace.ALLEGRO,
        external_user_id="tea-house",
        name="Tea House",
        location=Shop.open().location,
        credentials=standin.allegro.keys,
    )


def begin(account):
    return begin_connection(account_id=account.pk, started_by_id=None, at=timezone.now())


def check(account, standin, seconds=5):
    """`seconds` later, on both clocks."""
    standin.advance(seconds)
    device = DeviceConnection.objects.get(account=account)
    DeviceConnection.objects.filter(pk=device.pk).update(
        next_poll_at=device.next_poll_at - datetime.timedelta(seconds=seconds),
        expires_at=device.expires_at - datetime.timedelta(seconds=seconds),
    )
    return check_connection(account_id=account.pk, at=timezone.now())


def test_the_code_is_asked_for_with_the_applications_name_and_secret_and_kept_encrypted(standin, account):
    device = begin(account)

    (call,) = standin.calls("/auth/oauth/device")
    name, _, secret = base64.b64decode(call.request.headers["authorization"].split(" ")[1]).decode().partition(":")
    assert {"client_id": name, "client_secret": secret} == standin.allegro.keys
    assert len(device.user_code) == 9
    assert device.user_code in device.verification_uri_complete
    assert (device.interval, device.status) == (5, "waiting")
    assert device.expires_at - timezone.now() > datetime.timedelta(minutes=59)
    account.refresh_from_db()
    assert account.connection == SellerAccount.Connection.NONE


def test_the_seller_says_yes_and_the_account_is_connected(standin, account):
    SellerAccount.objects.update(connection=SellerAccount.Connection.LOST)
    tell_connection_lost(account)
    SyncState.objects.create(account=account, what="orders", next_due_at=timezone.now() + datetime.timedelta(hours=6))
    device = begin(account)
    assert check(account, standin).status == "waiting"
    standin.allegro.decide(device.user_code)

    device = check(account, standin)

    account.refresh_from_db()
    assert (device.status, device.device_code) == ("connected", "")
    assert account.connection == SellerAccount.Connection.CONNECTED
    assert access_token(account_id=account.pk) == account.tokens["access_token"]
    assert list(CredentialEvent.objects.values_list("kind", flat=True)) == ["connected"]
    assert SyncState.objects.get().next_due_at <= timezone.now()
    assert not Alert.objects.filter(event=CONNECTION_LOST, resolved_at=None).exists()
    # It is over: nobody asks any more.
    assert check(account, standin).status == "connected"
    assert len(standin.calls(TOKEN)) == 2


def test_the_grant_is_not_encoded_twice(standin, account):
    begin(account)

    check(account, standin)

    body = standin.calls(TOKEN)[0].request.body.decode()
    assert "%25" not in body
    assert urllib.parse.parse_qs(body)["grant_type"] == ["urn:ietf:params:oauth:grant-type:device_code"]


def test_who_asks_too_early_asks_nobody(standin, account):
    begin(account)

    for seconds in (0, 1):
        assert check(account, standin, seconds).status == "waiting"
    assert standin.calls(TOKEN) == []
    assert check(account, standin, 4).status == "waiting"
    assert check(account, standin, 0).status == "waiting"
    assert len(standin.calls(TOKEN)) == 1


def test_slow_down_doubles_the_interval(standin, account):
    begin(account)
    standin.misbehave(TOKEN, status=400, body={"error": "slow_down", "error_description": "slow down"})

    device = check(account, standin)

    assert (device.status, device.interval) == ("waiting", 10)
    assert check(account, standin, 5).status == "waiting"
    assert len(standin.calls(TOKEN)) == 1
    check(account, standin, 5)
    assert len(standin.calls(TOKEN)) == 2


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ("access_denied", "denied"),
        ("invalid_request", "invalid"),
        ("invalid_grant", "invalid"),
        ("expired_token", "expired"),
    ],
)
def test_what_ends_an_attempt_is_said_and_the_account_stays_as_it_was(standin, account, error, status):
    begin(account)
    standin.misbehave(TOKEN, status=400, body={"error": error, "error_description": "no"})

    assert check(account, standin).status == status

    account.refresh_from_db()
    assert (account.connection, account.tokens) == (SellerAccount.Connection.NONE, None)
    assert check(account, standin).status == status
    assert len(standin.calls(TOKEN)) == 1
    assert begin(account).status == "waiting"


def test_a_code_that_nobody_used_expires_without_a_call(standin, account):
    begin(account)

    assert check(account, standin, 3601).status == "expired"
    assert standin.calls(TOKEN) == []


def test_a_fault_of_allegros_is_told_and_the_attempt_goes_on(standin, account):
    device = begin(account)
    standin.misbehave(TOKEN, status=502, html=True)
    with pytest.raises(CallFailed):
        check(account, standin)
    standin.allegro.decide(device.user_code)

    assert check(account, standin).status == "connected"


def test_a_second_code_ends_the_first_one(standin, account):
    first = begin(account)
    second = begin(account)
    standin.allegro.decide(first.user_code)

    assert DeviceConnection.objects.count() == 1
    assert check(account, standin).status == "waiting"
    standin.allegro.decide(second.user_code)
    assert check(account, standin).status == "connected"


def test_a_connected_account_stays_connected_while_another_code_is_shown(standin, account):
    standin.allegro.decide(begin(account).user_code)
    check(account, standin)
    tokens = SellerAccount.objects.get(pk=account.pk).tokens

    begin(account)

    account.refresh_from_db()
    assert (account.connection, account.tokens) == (SellerAccount.Connection.CONNECTED, tokens)


def test_who_cant_be_connected_by_a_code_is_told_why(standin, account):
    with pytest.raises(NoConnectionInProgress):
        check_connection(account_id=account.pk, at=timezone.now())
    with pytest.raises(UnknownAccount):
        begin_connection(account_id="5e1fd52a-0000-4000-8000-000000000000", started_by_id=None, at=timezone.now())
    SellerAccount.objects.update(credentials={"client_id": "x", "client_secret": "wrong"})
    with pytest.raises(CallFailed, match="client id and secret"):
        begin(account)
    SellerAccount.objects.update(credentials=None)
    with pytest.raises(NotConnected):
        begin(account)
    SellerAccount.objects.update(marketplace=Marketplace.OZON)
    with pytest.raises(NotByCode):
        begin(account)
    assert not DeviceConnection.objects.exists()


def test_an_address_that_is_none_is_not_shown_to_anybody(standin, account):
    standin.misbehave("/device", put={"verification_uri": "javascript:alert(1)"})

    with pytest.raises(CallFailed):
        begin(account)
    assert not DeviceConnection.objects.exists()


# --- REST ---------------------------------------------------------------------------------------------


def test_a_program_connects_an_account(standin, account):
    admin = Rest.of("admin")
    path = f"marketplaces/accounts/{account.pk}/connect/"
    admin.refused("get", path, status=404, kind="not_found")

    begun = admin.post(path, status=200)

    device = DeviceConnection.objects.get()
    assert begun == {
        "user_code": device.user_code,
        "verification_uri": device.verification_uri,
        "verification_uri_complete": device.verification_uri_complete,
        "expires_in": 3600,
        "interval": 5,
        "status": "waiting",
        "next_check_in": 5,
        "detail": begun["detail"],
    }
    standin.allegro.decide(device.user_code)
    assert admin.get(path)["status"] == "waiting"
    DeviceConnection.objects.update(next_poll_at=timezone.now())
    assert admin.get(path)["status"] == "connected"


def test_only_the_admin_connects(standin, account):
    path = f"marketplaces/accounts/{account.pk}/connect/"
    for role in ("manager", "barista", "customer"):
        Rest.of(role).refused("post", path, status=403, kind="permission_denied")
    assert standin.calls() == []
    assert not DeviceConnection.objects.exists()


def test_allegros_silence_is_a_sentence_and_no_fault_of_ours(standin, account):
    standin.misbehave("/device", status=503, times=0)

    Rest.of("admin").refused(
        "post", f"marketplaces/accounts/{account.pk}/connect/", status=409, kind="marketplace_failed"
    )


# --- the page -----------------------------------------------------------------------------------------


def page(account, name="connect"):
    return reverse(f"admin:marketplaces_selleraccount_{name}", args=[account.pk])


def test_the_page_shows_the_code_the_address_and_a_picture_and_ends_with_a_sentence(standin, account):
    admin = signed_in("admin")
    assert "Get a code" in text_of(admin.get(page(account)))

    assert admin.post(page(account), {"do": "begin"}).status_code == 302

    device = DeviceConnection.objects.get()
    shown = admin.get(page(account))
    assert device.user_code in text_of(shown)
    assert f'href="{device.verification_uri_complete}"' in shown.content.decode()
    assert "<svg" in shown.content.decode()
    assert "Check now" in text_of(shown)
    assert device.device_code not in shown.content.decode()
    # Without a script: the button asks.
    standin.allegro.decide(device.user_code)
    DeviceConnection.objects.update(next_poll_at=timezone.now())
    admin.post(page(account), {"do": "check"})
    shown = text_of(admin.get(page(account)))
    assert "Connected. Allegro has let this shop in" in shown
    assert device.user_code not in shown


def test_the_script_is_told_how_it_stands_and_when_to_ask_again(standin, account):
    admin = signed_in("admin")
    status = page(account, "connect_status")
    assert admin.post(status).json()["is_over"] is True

    begin(account)
    told = admin.post(status).json()
    assert (told["status"], told["is_over"]) == ("waiting", False)
    assert 1 <= told["wait"] <= 7
    assert standin.calls(TOKEN) == []
    DeviceConnection.objects.update(next_poll_at=timezone.now())
    standin.misbehave(TOKEN, status=500)
    told = admin.post(status).json()
    assert told["is_over"] is False
    assert "We go on trying" in told["sentence"]
    DeviceConnection.objects.update(next_poll_at=timezone.now())
    standin.misbehave(TOKEN, status=400, body={"error": "access_denied", "error_description": "no"})
    told = admin.post(status).json()
    assert (told["status"], told["is_over"]) == ("denied", True)
    assert "said no" in text_of(admin.get(page(account)))
    assert admin.get(status).status_code == 405


def test_what_cant_be_begun_is_said_on_the_page(standin, account):
    admin = signed_in("admin")
    standin.misbehave("/device", status=503, times=0)

    answer = admin.post(page(account), {"do": "begin"})

    assert len(said(answer)) == 1
    assert not DeviceConnection.objects.exists()
    SellerAccount.objects.update(credentials=None)
    assert "Store the keys" in text_of(admin.get(page(account)))
    SellerAccount.objects.update(marketplace=Marketplace.OZON)
    assert admin.get(page(account)).status_code == 404


def test_the_page_is_the_admins_alone_and_costs_few_queries(standin, account):
    for role in ("manager", "barista"):
        client = signed_in(role)
        assert client.get(page(account)).status_code == 403
        assert client.post(page(account), {"do": "begin"}).status_code == 403
        assert client.post(page(account, "connect_status")).status_code == 403
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(signed_in("admin").get(page(account)).wsgi_request.user)
    assert strict.post(page(account), {"do": "begin"}).status_code == 403
    assert standin.calls() == []
    begin(account)
    assert queries_of(signed_in("admin"), page(account)) <= 25


def test_a_connection_that_was_lost_later_is_not_called_connected(standin, account):
    standin.allegro.decide(begin(account).user_code)
    check(account, standin)
    SellerAccount.objects.update(connection=SellerAccount.Connection.LOST)

    shown = text_of(signed_in("admin").get(page(account)))

    assert "Connected." not in shown
    assert "does not take this account's keys any more" in shown
    assert "Get a code" in shown
