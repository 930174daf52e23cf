"""The doors of seller accounts and of what is read of them: managers look and synchronise, admins decide."""

from typing import Any

from tests.marketplaces.people import account_of, everything_of
from tests.project.admin_doors import ADMINS, MANAGERS, NOBODY, Attempt, Keys, deed, page, records, verb
from tests.shop import Shop


def accounts_of(bar: Shop) -> dict[str, Any]:
    """A seller with all that is read of an account; an account that writes; and one of which nothing has come."""
    seller = everything_of("doors", location=bar.location)
    unused = account_of("unused", location=bar.location, credentials=None, credentials_changed_at=None)
    return {
        "seller_account": seller["account"],
        "live_account": account_of("live", location=bar.location, mode="live"),
        "spare_account": unused,
        "mirrored_order": seller["order"],
        "stock_row": seller["stock"],
        "sync_run": seller["run"],
    }


def settings(it: Keys) -> dict[str, Any]:
    return {
        "name": "Renamed",
        "location": it["main_street"],
        "push_warehouse_id": "7",
        "is_active": "on",
        "orders_every": "60",
        "stock_every": "360",
        "max_changes_per_run": "500",
    }


def new_account(it: Keys) -> dict[str, Any]:
    return {
        "name": "New",
        "external_user_id": "somebody",
        "location": it["main_street"],
        "client_id": "1",
        "api_key": "k",
    }


LIST, ACCOUNT = "marketplaces/selleraccount/", "marketplaces/selleraccount/{seller_account}/"
NEW, TEST = f"{LIST}new/ozon/", f"{LIST}{{spare_account}}/verb/test/"
BACK = f"{LIST}{{spare_account}}/change/"

ACCOUNTS = [
    page("marketplaces/", MANAGERS, refused=404),
    page(LIST, MANAGERS),
    page(f"{LIST}add/", ADMINS, then=f"{LIST}new/"),
    page(f"{LIST}new/", ADMINS, Attempt(address=f"{LIST}new/", may=ADMINS, method="POST", then=405)),
    page(NEW, ADMINS, deed(NEW, ADMINS, "add", new_account, then=f"{LIST}*/change/")),
    page(f"{LIST}new/amazon/", NOBODY, refused=404),
    page(f"{LIST}monitor/", MANAGERS, Attempt(address=f"{LIST}monitor/", may=MANAGERS, method="POST", then=405)),
    records(
        "marketplaces/selleraccount",
        "seller_account",
        see=MANAGERS,
        change=ADMINS,
        delete=ADMINS,
        spare="spare_account",
        form=settings,
        without=["list", "add"],
    ),
    verb(ACCOUNT, MANAGERS, "orders"),
    verb(ACCOUNT, MANAGERS, "stock"),
    verb(ACCOUNT, MANAGERS, "resync", lambda it: {"resync-since": "2026-01-01"}, asks=True),
    # Without keys nobody is asked, and nothing changes.
    page(TEST, MANAGERS, Attempt(address=TEST, may=MANAGERS, method="POST", then=BACK), then=BACK),
    verb(ACCOUNT, ADMINS, "keys", lambda it: {"keys-client_id": "2", "keys-api_key": "k"}, asks=True),
    verb(ACCOUNT, ADMINS, "live", asks=True),
    verb(f"{LIST}{{live_account}}/", ADMINS, "read_only", asks=True),
    page("marketplaces/marketplaceorder/", MANAGERS),
    records("marketplaces/marketplaceorder", "mirrored_order", see=MANAGERS, without=["list"]),
    verb(
        "marketplaces/marketplaceorder/{mirrored_order}/",
        MANAGERS,
        "erase",
        lambda it: {"erase-reason": "by letter"},
        asks=True,
    ),
    page("marketplaces/marketplacestock/", MANAGERS),
    records("marketplaces/marketplacestock", "stock_row", see=MANAGERS, without=["list"]),
    page("marketplaces/syncrun/", MANAGERS),
    records("marketplaces/syncrun", "sync_run", see=MANAGERS, without=["list"]),
]
