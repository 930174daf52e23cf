"""Allegro's tokens: refreshed in time, by one at a time, and never lost."""

import datetime

import pytest
from django.db import connection
from django.utils import timezone

from marketplaces.clients import http
from marketplaces.errors import NotAuthorised, NotConnected, RateLimited, ServerError, UnknownAccount
from marketplaces.models import ApiGate, CredentialEvent, SellerAccount
from marketplaces.services import tokens
from marketplaces.services.key_alerts import CONNECTION_LOST
from marketplaces.services.tokens import access_token, refresh_due_tokens
from monitoring.models import Alert
from tests.marketplaces.allegro.seller import allegro_account
from tests.shop import Shop

pytestmark = pytest.mark.django_db

TOKEN = "/auth/oauth/token"
HOUR = datetime.timedelta(hours=1)
LATE = 10 * HOUR  # of twelve hours


class Killed(BaseException):
    """The process ends here: no code of ours catches it."""


@pytest.fixture(autouse=True)
def pauses(monkeypatch):
    waited: list[float] = []
    monkeypatch.setattr(http, "pause", waited.append)
    return waited


@pytest.fixture
def shop():
    return Shop.open()


def pair_of(account):
    return SellerAccount.objects.get(pk=account.pk).tokens


def events_of(account):
    return list(CredentialEvent.objects.filter(account=account).values_list("kind", flat=True))


def time_passes(account, seconds):
    """The leases and moments of the account lie that much further back."""
    past = datetime.timedelta(seconds=seconds)
    found = SellerAccount.objects.get(pk=account.pk)
    for name in ("refresh_leased_until", "refresh_started_at"):
        if moment := getattr(found, name):
            SellerAccount.objects.filter(pk=account.pk).update(**{name: moment - past})


def die_while_storing(monkeypatch):
    def die(*_args, **_kwargs):
        raise Killed

    monkeypatch.setattr(tokens, "store_refreshed", die)


# --- when it is refreshed -----------------------------------------------------------------------------


def test_a_token_with_life_left_is_used_without_a_call(standin, shop):
    account = allegro_account(shop, standin.allegro, age=9 * HOUR)

    assert access_token(account_id=account.pk) == account.tokens["access_token"]
    assert standin.calls() == []


def test_a_token_near_its_end_is_replaced_by_a_new_pair(standin, shop):
    account = allegro_account(shop, standin.allegro, age=LATE)
    old = account.tokens

    token = access_token(account_id=account.pk)

    account.refresh_from_db()
    assert token == account.tokens["access_token"] != old["access_token"]
    assert account.tokens["refresh_token"] != old["refresh_token"]
    assert account.access_expires_at - timezone.now() > 11 * HOUR
    assert account.refresh_expires_at - timezone.now() > 80 * 24 * HOUR
    assert (account.refresh_started_at, account.refresh_leased_until) == (None, None)
    assert events_of(account) == ["refreshed"]
    assert access_token(account_id=account.pk) == token
    assert len(standin.calls(TOKEN)) == 1


def test_a_rejected_token_is_replaced_and_whoever_comes_later_with_it_gets_the_new_one(standin, shop):
    account = allegro_account(shop, standin.allegro)
    old = account.tokens["access_token"]

    first = access_token(account_id=account.pk, rejected=old)
    second = access_token(account_id=account.pk, rejected=old)

    assert first == second != old
    assert len(standin.calls(TOKEN)) == 1


def test_the_background_refreshes_at_half_of_the_life(standin, shop):
    young = allegro_account(shop, standin.allegro, age=5 * HOUR)

    assert refresh_due_tokens(at=timezone.now()) == 0
    assert refresh_due_tokens(at=timezone.now() + 2 * HOUR) == 1
    assert pair_of(young)["access_token"] != young.tokens["access_token"]


def test_one_account_that_fails_in_the_background_does_not_stop_the_others(standin, shop):
    bad = allegro_account(shop, standin.allegro, age=LATE)
    SellerAccount.objects.filter(pk=bad.pk).update(name="Other", credentials={"client_id": "x", "client_secret": "y"})
    good = allegro_account(shop, standin.allegro, age=LATE)

    assert refresh_due_tokens(at=timezone.now()) == 1
    assert pair_of(good) != good.tokens
    assert pair_of(bad) == bad.tokens
    assert SellerAccount.objects.get(pk=bad.pk).refresh_leased_until is None


def test_a_refresh_token_alone_is_enough_to_begin_with(standin, shop):
    account = allegro_account(shop, standin.allegro)
    first = {"access_token": "", "refresh_token": account.tokens["refresh_token"]}
    SellerAccount.objects.filter(pk=account.pk).update(tokens=first, access_expires_at=None)

    assert refresh_due_tokens(at=timezone.now()) == 1
    token = access_token(account_id=account.pk)
    assert token == pair_of(account)["access_token"]
    assert token
    assert len(standin.calls(TOKEN)) == 1


def test_accounts_without_tokens_are_not_connected(standin, shop):
    account = allegro_account(shop, standin.allegro)
    SellerAccount.objects.update(tokens=None, access_expires_at=None)

    with pytest.raises(NotConnected):
        access_token(account_id=account.pk)
    with pytest.raises(UnknownAccount):
        access_token(account_id="5e1fd52a-0000-4000-8000-000000000000")


# --- when it fails ------------------------------------------------------------------------------------


def test_while_the_refresh_fails_the_old_token_serves_on(standin, shop):
    account = allegro_account(shop, standin.allegro, age=LATE)
    standin.misbehave(TOKEN, status=500, times=0)

    assert access_token(account_id=account.pk) == account.tokens["access_token"]
    with pytest.raises(ServerError):
        access_token(account_id=account.pk, rejected=account.tokens["access_token"])
    standin.calm()
    assert access_token(account_id=account.pk) != account.tokens["access_token"]
    assert events_of(account) == ["refreshed"]


def test_too_many_refreshes_lose_nothing_and_are_not_sat_through(standin, shop, pauses):
    account = allegro_account(shop, standin.allegro, age=LATE)
    old = account.tokens["access_token"]
    standin.misbehave(TOKEN, status=429, headers={"Retry-After": "30"})

    # While it lives it serves on; without one, whoever asks is told how long to wait, and the lease is free again.
    assert access_token(account_id=account.pk) == old
    with pytest.raises(RateLimited) as refusal:
        access_token(account_id=account.pk, rejected=old)
    assert 20 < refusal.value.retry_after <= 31
    account.refresh_from_db()
    assert (account.refresh_leased_until, account.refresh_started_at) == (None, None)
    assert (pauses, len(standin.calls(TOKEN))) == ([], 1)
    ApiGate.objects.update(blocked_until=None, next_at=timezone.now())
    assert access_token(account_id=account.pk, rejected=old) != old


def test_a_refused_refresh_token_loses_the_connection_and_the_access_token_serves_while_it_lives(standin, shop):
    account = allegro_account(shop, standin.allegro, age=LATE)
    standin.misbehave(TOKEN, status=400, body={"error": "invalid_grant", "error_description": "Invalid refresh token"})

    assert access_token(account_id=account.pk) == account.tokens["access_token"]

    account.refresh_from_db()
    assert account.connection == SellerAccount.Connection.LOST
    assert events_of(account) == ["refused"]
    alert = Alert.objects.get(event=CONNECTION_LOST)
    assert (alert.severity, alert.subject) == ("critical", str(account.pk))
    # Nobody asks again with a token that is known to be over.
    assert access_token(account_id=account.pk) == account.tokens["access_token"]
    with pytest.raises(NotAuthorised):
        access_token(account_id=account.pk, rejected=account.tokens["access_token"])
    assert refresh_due_tokens(at=timezone.now()) == 0
    assert len(standin.calls(TOKEN)) == 1


# --- when somebody dies in the middle -----------------------------------------------------------------


def test_a_process_that_dies_between_the_new_pair_and_its_storing_loses_nothing(standin, shop, monkeypatch):
    account = allegro_account(shop, standin.allegro, age=LATE)
    with monkeypatch.context() as dying:
        die_while_storing(dying)
        with pytest.raises(Killed):
            access_token(account_id=account.pk)
    assert pair_of(account) == account.tokens
    # While its lease lasts, the old access token serves on, and nobody asks for another pair.
    assert access_token(account_id=account.pk) == account.tokens["access_token"]
    assert len(standin.calls(TOKEN)) == 1

    time_passes(account, tokens.LEASE.total_seconds())
    standin.advance(tokens.LEASE.total_seconds())
    token = access_token(account_id=account.pk)

    assert token == pair_of(account)["access_token"] != account.tokens["access_token"]
    assert SellerAccount.objects.get(pk=account.pk).refresh_started_at is None
    assert [call.answer.status for call in standin.calls(TOKEN)] == [200, 200]
    assert events_of(account) == ["refreshed"]


def test_a_refresh_that_was_cut_short_is_repeated_by_the_background_however_young_the_token_is(
    standin, shop, monkeypatch
):
    account = allegro_account(shop, standin.allegro)
    with monkeypatch.context() as dying:
        die_while_storing(dying)
        with pytest.raises(Killed):
            access_token(account_id=account.pk, rejected=account.tokens["access_token"])

    assert refresh_due_tokens(at=timezone.now()) == 0
    assert refresh_due_tokens(at=timezone.now() + tokens.LEASE) == 1
    assert pair_of(account) != account.tokens


def test_after_the_minute_of_grace_the_account_has_to_be_connected_again_and_somebody_is_told(
    standin, shop, monkeypatch
):
    """What can't be helped: nobody came in time."""
    account = allegro_account(shop, standin.allegro, age=LATE)
    with monkeypatch.context() as dying:
        die_while_storing(dying)
        with pytest.raises(Killed):
            access_token(account_id=account.pk)
    time_passes(account, 61)
    standin.advance(61)

    assert access_token(account_id=account.pk) == account.tokens["access_token"]
    assert SellerAccount.objects.get(pk=account.pk).connection == SellerAccount.Connection.LOST
    assert Alert.objects.filter(event=CONNECTION_LOST, resolved_at=None).count() == 1


def test_an_answer_that_was_lost_on_the_way_is_asked_for_again_at_once(standin, shop):
    account = allegro_account(shop, standin.allegro)
    standin.misbehave(TOKEN, cut="before", is_applied=True)

    token = access_token(account_id=account.pk, rejected=account.tokens["access_token"])

    assert token == pair_of(account)["access_token"] != account.tokens["access_token"]
    assert len(standin.calls(TOKEN)) == 2


def test_who_took_too_long_does_not_put_the_older_pair_over_the_newer_one(standin, shop, monkeypatch):
    account = allegro_account(shop, standin.allegro, age=LATE)
    slow = tokens.take_lease(account, now=timezone.now())
    late_pair = tokens.allegro_auth.refresh(account, refresh_token=account.tokens["refresh_token"])
    time_passes(account, tokens.LEASE.total_seconds())
    token = access_token(account_id=account.pk)

    tokens.store_refreshed(slow, late_pair)

    assert pair_of(account)["access_token"] == token != late_pair.access_token


def test_a_refusal_of_a_token_that_somebody_has_replaced_meanwhile_is_no_loss(standin, shop):
    account = allegro_account(shop, standin.allegro, age=LATE)
    stale = SellerAccount.objects.get(pk=account.pk)
    token = access_token(account_id=account.pk)
    standin.advance(61)
    lease = tokens.Lease(stale, timezone.now(), timezone.now())

    tokens.refresh_pair(lease)

    account.refresh_from_db()
    assert account.connection == SellerAccount.Connection.CONNECTED
    assert account.tokens["access_token"] == token


# --- what nobody sees ---------------------------------------------------------------------------------


def test_no_log_and_no_column_shows_a_token_or_the_secret(standin, shop, caplog, capfd):
    caplog.set_level("DEBUG")
    account = allegro_account(shop, standin.allegro, age=LATE)
    access_token(account_id=account.pk)
    standin.misbehave(TOKEN, status=400, body={"error": "invalid_grant", "error_description": "no"}, times=1)
    access_token(account_id=account.pk, rejected="")
    new = pair_of(account)
    secrets = [account.tokens[name] for name in ("access_token", "refresh_token")]
    secrets += [new["access_token"], new["refresh_token"], account.credentials["client_secret"]]

    written = caplog.text + "".join(capfd.readouterr())
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_jsonb(a)::text FROM marketplaces_selleraccount a")
        (row,) = cursor.fetchone()

    assert "credential_used" in written
    assert "credential_changed" in written
    assert not [secret for secret in secrets if secret in written or secret in row]
