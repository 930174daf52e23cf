"""Several workers need a new pair of Allegro's tokens at the same moment: one asks for it, the others wait.

A second refresh ends the pair of the first one a minute later, and with it the account, if the wrong one is kept. The
counterproof takes the lease out and shows that everybody asks.
"""

import datetime
from threading import Barrier

import pytest
from django.utils import timezone

from marketplaces.models import CredentialEvent, DeviceConnection, SellerAccount
from marketplaces.services import connecting, tokens
from marketplaces.services.connecting import begin_connection, check_connection
from marketplaces.services.tokens import access_token
from tests.marketplaces.allegro.seller import allegro_account
from tests.marketplaces.conftest import standin  # noqa: F401
from tests.races.threads import PATIENCE, at_once, kinds
from tests.shop import Shop

pytestmark = pytest.mark.django_db(transaction=True)

WORKERS = 6
TOKEN = "/auth/oauth/token"


@pytest.fixture
def account(standin):  # noqa: F811
    return allegro_account(Shop.open(), standin.allegro)


def test_of_many_workers_with_a_rejected_token_one_refreshes_it(standin, account):  # noqa: F811
    old = account.tokens["access_token"]
    standin.misbehave(TOKEN, delay=0.5)

    given = at_once([lambda: access_token(account_id=account.pk, rejected=old)] * WORKERS)

    account.refresh_from_db()
    assert given == [account.tokens["access_token"]] * WORKERS
    assert given[0] != old
    assert len(standin.calls(TOKEN)) == 1
    assert CredentialEvent.objects.count() == 1


def test_without_the_lease_everybody_refreshes_it(standin, account, monkeypatch):  # noqa: F811
    """Counterproof: the lease is given to everybody who asks. The barrier stands between reading the pair and asking
    for a new one."""
    everybody_has_read = Barrier(WORKERS)

    def take_lease(account: SellerAccount, *, now: datetime.datetime) -> tokens.Lease:
        everybody_has_read.wait(PATIENCE)
        return tokens.Lease(account, now, now + tokens.LEASE)

    monkeypatch.setattr(tokens, "take_lease", take_lease)

    at_once([lambda: access_token(account_id=account.pk, rejected=account.tokens["access_token"])] * WORKERS)

    assert len(standin.calls(TOKEN)) == WORKERS


def test_of_two_pages_that_check_at_once_one_asks(standin, account):  # noqa: F811
    begin_connection(account_id=account.pk, started_by_id=None, at=timezone.now())
    DeviceConnection.objects.update(next_poll_at=timezone.now())
    now = timezone.now()

    outcomes = at_once([lambda: check_connection(account_id=account.pk, at=now)] * WORKERS)

    assert kinds(outcomes) == {"DeviceConnection": WORKERS}
    assert len(standin.calls(TOKEN)) == 1


def test_without_the_lock_all_of_them_ask(standin, account, monkeypatch):  # noqa: F811
    """Counterproof: the attempt is only read, not locked."""
    begin_connection(account_id=account.pk, started_by_id=None, at=timezone.now())
    DeviceConnection.objects.update(next_poll_at=timezone.now())
    everybody_has_read = Barrier(WORKERS)
    now = timezone.now()

    def read(account_id: object) -> DeviceConnection:
        device = DeviceConnection.objects.get(account_id=account_id)
        if now >= device.next_poll_at:
            everybody_has_read.wait(PATIENCE)
        return device

    with monkeypatch.context() as unguarded:
        unguarded.setattr(connecting, "lock_account", lambda account_id: SellerAccount.objects.get(pk=account_id))
        unguarded.setattr(connecting, "lock_device_connection", read)
        at_once([lambda: check_connection(account_id=account.pk, at=now)] * WORKERS)

    assert len(standin.calls(TOKEN)) == WORKERS
