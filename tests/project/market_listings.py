"""The doors of listings: managers match SKUs, send quantities and stop everything."""

from typing import Any

from django.utils import timezone

from inventory.models import Product
from tests.marketplaces.shelf import listed, seller
from tests.project.admin_doors import MANAGERS, STAFF, Attempt, deed, lines, page, records, verb
from tests.shop import Shop


def listings_of(bar: Shop, latte: Product) -> dict[str, Any]:
    """An account with a listing that the marketplace has refused."""
    account = seller(bar, name="Listings")
    return {
        "selling_account": account,
        "listing": listed(account, latte, "LISTED", push_attempts=2, push_not_before=timezone.now(), push_error="No."),
    }


def new_listing(it: Any) -> dict[str, Any]:
    numbers = {"quantity": "1", "buffer": "3", "is_active": "on"}
    return {"account": it["selling_account"], "sku": "NEW", "product": it["latte"], **numbers}


def a_match(it: Any) -> dict[str, Any]:
    return lines("lines", {"sku": "NEW", "take": "on", "product": it["latte"], "quantity": "1"})


LIST, LISTING = "marketplaces/listing/", "marketplaces/listing/{listing}/"
UNMATCHED, QUANTITIES = f"{LIST}unmatched/?account={{selling_account}}", f"{LIST}quantities/"

LISTINGS = [
    page(LIST, MANAGERS),
    records(
        "marketplaces/listing",
        "listing",
        see=MANAGERS,
        add=MANAGERS,
        change=MANAGERS,
        delete=MANAGERS,
        form=new_listing,
        without=["list"],
    ),
    verb(LISTING, MANAGERS, "send"),
    page(UNMATCHED, MANAGERS, deed(UNMATCHED, MANAGERS, "match", a_match, then=f"{LIST}unmatched/?account=*")),
    page(
        QUANTITIES,
        MANAGERS,
        deed(QUANTITIES, MANAGERS, "stop", lambda it: {"verb": "stop", "stop-reason": "why"}, then=QUANTITIES),
        deed(
            QUANTITIES,
            MANAGERS,
            "send",
            lambda it: {"verb": "send", "account": it["selling_account"]},
            then=QUANTITIES,
        ),
        # It is on: nothing is changed by it.
        Attempt(address=QUANTITIES, may=MANAGERS, method="POST", body=lambda it: {"verb": "start"}, then=QUANTITIES),
    ),
    page("autocomplete/?app_label=marketplaces&model_name=listing&field_name=product", STAFF, post=405),
]
