"""The doors of connecting an Allegro account by a code: the admin's alone.

The account has no keys and its attempt is over, so that whoever comes in is answered without a network.
"""

import datetime
from typing import Any

from django.utils import timezone

from marketplaces.choices import Marketplace
from marketplaces.models import DeviceConnection, SellerAccount
from tests.project.admin_doors import ADMINS, Attempt, page
from tests.shop import Shop


def connecting_of(bar: Shop) -> dict[str, Any]:
    """An Allegro account whose seller said no."""
    account = SellerAccount.objects.create(
        marketplace=Marketplace.ALLEGRO, external_user_id="connecting", name="Connecting", location=bar.location
    )
    now = timezone.now()
    DeviceConnection.objects.create(
        account=account,
        device_code="",
        user_code="ABCDEFGHJ",
        verification_uri="https://allegro.example/skojarz-aplikacje",
        verification_uri_complete="https://allegro.example/skojarz-aplikacje?code=ABCDEFGHJ",
        interval=5,
        status=DeviceConnection.Status.DENIED,
        started_at=now,
        expires_at=now + datetime.timedelta(hours=1),
        next_poll_at=now,
    )
    return {"allegro_account": account}


CONNECT = "marketplaces/selleraccount/{allegro_account}/connect/"
STATUS = f"{CONNECT}status/"

CONNECTING = [
    page(
        CONNECT,
        ADMINS,
        Attempt(address=CONNECT, may=ADMINS, method="POST", body=lambda it: {"do": "begin"}, then=CONNECT),
        Attempt(address=CONNECT, may=ADMINS, method="POST", body=lambda it: {"do": "check"}, then=CONNECT),
    ),
    [
        Attempt(address=STATUS, may=ADMINS, then=405),
        Attempt(address=STATUS, may=ADMINS, method="POST", is_json=True),
    ],
]
