"""The doors of stock operations: managers look at them, cancel them and try them again."""

from typing import Any

from django.utils import timezone

from inventory.models import Product
from marketplaces.choices import OrderState
from marketplaces.models import MarketplaceOrder, StockOperation
from tests.marketplaces.shelf import listed, seller
from tests.project.admin_doors import MANAGERS, NOBODY, action, page, records, verb
from tests.shop import Shop


def operations_of(bar: Shop, latte: Product) -> dict[str, Any]:
    """An operation that waits, and one that has failed."""
    account = seller(bar, name="Operations")
    listed(account, latte, "OPERATED")
    return {
        "operation": an_operation(account, "WAITS"),
        "failed_operation": an_operation(account, "FAILED", status=StockOperation.Status.FAILED),
    }


def an_operation(account: Any, number: str, **fields: Any) -> StockOperation:
    order = MarketplaceOrder.objects.create(
        account=account, external_id=number, number=number, status="new", state=OrderState.READY, payload={}
    )
    return StockOperation.objects.create(
        account=account, account_name=account.name, order=order, next_attempt_at=timezone.now(), **fields
    )


LIST, WAITING = "marketplaces/stockoperation/", "marketplaces/stockoperation/{operation}/"
FAILED = "marketplaces/stockoperation/{failed_operation}/"

OPERATIONS = [
    page(
        LIST,
        MANAGERS,
        action(LIST, MANAGERS, "cancel_selected", "operation", MANAGERS, confirmed="1", reason="sold out"),
        action(LIST, MANAGERS, "retry_selected", "failed_operation", MANAGERS),
        action(LIST, NOBODY, "delete_selected", "operation", MANAGERS, post="yes"),
    ),
    records("marketplaces/stockoperation", "operation", see=MANAGERS, without=["list"]),
    verb(WAITING, MANAGERS, "cancel", lambda it: {"cancel-reason": "sold out"}, asks=True),
    verb(FAILED, MANAGERS, "retry"),
]
