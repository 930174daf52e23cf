"""The shop opens on Allegro: an account is connected by a code, a SKU is matched, somebody buys, and thinks better."""

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from inventory.models import Ingredient, Product
from marketplaces import tasks
from marketplaces.models import DeviceConnection, Listing, SellerAccount, StockOperation
from tests.journeys.conftest import OpenPage, sign_in
from tests.marketplaces.conftest import nothing_at_hand, standin  # noqa: F401 - fixtures
from tests.marketplaces.standin import Keeper, Standin
from tests.shop import Shop, assert_levels_are_what_the_ledger_sums_to, user_of
from users.models import User

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]

OFFER = "15600000009"
PHONE = {"width": 360, "height": 740}


@pytest.fixture
def shop(transactional_db: None) -> Shop:
    return Shop.open("Siam Square", time_zone="Asia/Bangkok")


@pytest.fixture
def admin(shop: Shop) -> User:
    return user_of("admin")


@pytest.fixture
def manager(shop: Shop) -> User:
    return user_of("manager")


@pytest.fixture
def tins(shop: Shop) -> Ingredient:
    return shop.ingredient("Assam in tins", "pc", stock=100)


@pytest.fixture
def tin(shop: Shop, tins: Ingredient) -> Product:
    tin = shop.product("Assam tea, tin of 100 g", "190.00", {tins: 1})
    Product.objects.filter(pk=tin.pk).update(sku="TIN-ASSAM")
    return tin


def fits(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def confirm(page: Page, label: str, **fields: str) -> None:
    """Presses a button of an object's page that opens a dialog, fills this in, and goes through with it."""
    page.locator("[data-opens-dialog]", has_text=label).click()
    dialog = page.locator("dialog[open]")
    for name, value in fields.items():
        dialog.get_by_label(name).fill(value)
    fits(page)
    dialog.get_by_role("button", name=label).click()


def go_round(account: SellerAccount) -> StockOperation:
    """What beat and the workers do: reads the orders, goes on with them, sends the quantities. Returns the operation of
    the newest order."""
    account.sync_states.update(next_due_at=timezone.now())
    tasks.sync_orders(str(account.pk))
    tasks.carry_on_operations()
    tasks.push_quantities(str(account.pk))
    return StockOperation.objects.filter(kind="sale").order_by("-id")[0]


def connect(desk: Page, market: Keeper) -> SellerAccount:
    """Adds the account and connects it by the code, which the seller allows at the marketplace."""
    desk.goto("/admin/marketplaces/selleraccount/")
    desk.locator("a[href='/admin/marketplaces/selleraccount/add/']").first.click()
    desk.locator(".mp-choices").get_by_role("link", name="Allegro").click()
    desk.locator("[name=name]").fill("Samovar Tea")
    desk.locator("[name=client_id]").fill(market.keys["client_id"])
    desk.locator("[name=client_secret]").fill(market.keys["client_secret"])
    desk.get_by_role("button", name="Add the account").click()
    expect(desk.get_by_text("Samovar Tea is added. It only reads until you let it write.")).to_be_visible()
    assert market.keys["client_secret"] not in desk.content()

    desk.locator(".sv-verbs a", has_text="Connect").click()
    desk.get_by_role("button", name="Get a code").click()
    code = DeviceConnection.objects.get()
    expect(desk.locator(".sv-connect-code")).to_have_text(code.user_code)
    expect(desk.locator(".sv-connect-qr svg")).to_be_visible()
    assert market.decide(code.user_code)
    # Five seconds later the page notices by itself.
    DeviceConnection.objects.update(next_poll_at=timezone.now())
    desk.goto(desk.url)
    expect(desk.get_by_text("Connected. Allegro has let this shop in")).to_be_visible()
    account = SellerAccount.objects.get()
    tasks.try_connection(str(account.pk))
    return account


def test_an_account_is_connected_an_order_is_sent_from_the_shop_and_another_is_taken_back(
    open_page: OpenPage,
    admin: User,
    manager: User,
    shop: Shop,
    tins: Ingredient,
    tin: Product,
    standin: Standin,  # noqa: F811 - the fixture
) -> None:
    market = standin.allegro
    market.offer(sku=OFFER, pieces=70, article="TIN-ASSAM", name="Herbata Assam, puszka 100 g")
    desk = open_page()
    sign_in(desk, admin)
    account = connect(desk, market)

    # Somebody has bought two already; nobody has said yet what they are.
    first = market.order((OFFER, 2))
    operation = go_round(account)
    assert (operation.status, operation.attempts, shop.quantity(tins)) == ("processing", 1, 100)
    tasks.import_stock(str(account.pk))
    desk.goto("/admin/marketplaces/listing/unmatched/")
    row = desk.locator(".mp-match")
    expect(row).to_contain_text("Herbata Assam, puszka 100 g")
    expect(row).to_contain_text("same number")
    expect(row.get_by_role("checkbox")).to_be_checked()
    desk.get_by_role("button", name="Match what is ticked").click()
    expect(desk.get_by_text("1 SKU is matched.")).to_be_visible()

    # It is read only: the stock is right, the marketplace is told nothing.
    operation = go_round(account)
    assert (operation.status, shop.quantity(tins)) == ("completed", 98)
    assert (market[first].fulfilment, market.shown(OFFER)) == ("NEW", 68)
    desk.goto(f"/admin/marketplaces/selleraccount/{account.pk}/change/")
    confirm(desk, "Let it write")
    expect(desk.get_by_text("writes to the marketplace from now on.")).to_be_visible()
    account.refresh_from_db()
    go_round(account)
    assert market.shown(OFFER) == 98

    # Two more people buy, and the manager reads on a phone what became of it.
    second, third = market.order((OFFER, 3)), market.order((OFFER, 5))
    go_round(account)
    assert (shop.quantity(tins), market.shown(OFFER)) == (90, 90)
    assert [market[pk].fulfilment for pk in (first, second, third)] == ["NEW", "PROCESSING", "PROCESSING"]
    phone = open_page(**PHONE)
    sign_in(phone, manager)
    phone.goto(f"/admin/marketplaces/stockoperation/?q={third}")
    fits(phone)
    phone.locator("#result_list a").first.click()
    steps = phone.locator(".mp-timeline li strong")
    expect(steps.first).to_have_text("operation created")
    expect(steps.last).to_have_text("status changed")
    expect(phone.locator(".mp-moved").last).to_have_text("stock deducted → completed")
    fits(phone)

    # The third one can't be sent: a tin is dented. The marketplace first, then the stock.
    confirm(phone, "Cancel the operation", Reason="A tin is dented")
    expect(phone.get_by_text("It is being cancelled: the marketplace first, then the stock.")).to_be_visible()
    go_round(account)
    # Of two orders that came at once either may be the newest.
    operation = StockOperation.objects.get(kind="sale", order__external_id=third)
    assert (operation.status, operation.rollback_operations.get().status) == ("cancelled", "completed")
    assert market[third].fulfilment == "CANCELLED"
    assert (shop.quantity(tins), market.shown(OFFER), Listing.objects.get().offered) == (95, 95, 95)
    phone.reload()
    expect(steps.filter(has_text="cancellation requested")).to_have_count(1)
    expect(phone.locator(".mp-timeline")).to_contain_text("A tin is dented")
    expect(phone.get_by_text("Put right by:")).to_be_visible()
    fits(phone)
    # Of the two that came at once either may have been taken first.
    assert sorted(shop.ledger(tins)) == [
        ("marketplace_rollback", 5),
        ("marketplace_sale", -5),
        ("marketplace_sale", -3),
        ("marketplace_sale", -2),
        ("receipt", 100),
    ]
    assert_levels_are_what_the_ledger_sums_to()
