"""An admin connects Allegro: the page shows a code, asks on by itself, and notices that the seller has said yes."""

import pytest
from playwright.sync_api import expect

from marketplaces.choices import Marketplace
from marketplaces.models import DeviceConnection, SellerAccount
from marketplaces.standin import allegro_auth
from tests.journeys.conftest import OpenPage, sign_in
from tests.marketplaces.conftest import standin  # noqa: F401
from tests.marketplaces.standin import Standin
from tests.shop import Shop, user_of

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]


def test_the_page_notices_what_the_seller_decides(
    open_page: OpenPage,
    standin: Standin,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(allegro_auth, "INTERVAL", 1)
    account = SellerAccount.objects.create(
        marketplace=Marketplace.ALLEGRO,
        external_user_id="tea-house",
        name="Tea House",
        location=Shop.open().location,
        credentials=standin.allegro.keys,
    )
    page = open_page(width=360)
    sign_in(page, user_of("admin"))
    page.goto(f"/admin/marketplaces/selleraccount/{account.pk}/connect/")
    page.get_by_role("button", name="Get a code").click()

    expect(page.get_by_role("img", name="QR picture of the address with the code")).to_be_visible()
    refused = DeviceConnection.objects.get()
    expect(page.get_by_text(refused.user_code, exact=True)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    standin.allegro.decide(refused.user_code, "refused")
    expect(page.get_by_text("The seller said no on Allegro.")).to_be_visible()

    page.get_by_role("button", name="Get a new code").click()
    expect(page.get_by_role("button", name="Check now")).to_be_visible()
    standin.allegro.decide(DeviceConnection.objects.get().user_code)
    expect(page.get_by_text("Allegro has let this shop in")).to_be_visible()
    account.refresh_from_db()
    assert account.connection == SellerAccount.Connection.CONNECTED
