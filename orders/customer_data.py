"""All that the shop knows of one person, as a document that they can take with them."""

from typing import Any

from django.db.models import Model
from django.utils import timezone

from foundation.shop import current_shop
from orders.models import (
    Customer,
    EveryCancelledItem,
    EveryEvent,
    EveryItem,
    EveryOrder,
    LoyaltyEntry,
    Payment,
    PromoRedemption,
    Refund,
)
from users.models import User

CONTACTS = ("id", "name", "phone", "email", "birthday", "consent", "notes", "created_at")
ORDER = (
    *("number", "channel", "status", "subtotal", "discount", "total", "discounts", "points_redeemed", "paid"),
    *("withheld", "comment", "placed_at", "closed_at"),
)
ITEM = ("name", "unit_price", "quantity", "cancelled_quantity", "options", "total", "discount")


def customer_data(customer: Customer) -> dict[str, Any]:
    """Everything that is known of the customer, and of those who were merged into them, in what JSON can hold: money
    as strings, moments in ISO 8601. The same number of queries whatever they bought.

    Who of the shop's people dealt with them is left out: that is data of somebody else.
    """
    family = list(Customer.objects.filter(merged_into=customer).order_by("pk"))
    ids = [customer.pk, *(one.pk for one in family)]
    orders = list(
        EveryOrder.objects.filter(customer_id__in=ids).select_related("location", "promo_code").order_by("pk")
    )
    order_ids = [order.pk for order in orders]
    numbers = {order.pk: order.number for order in orders}
    items = by_order(EveryItem.objects.filter(order_id__in=order_ids).order_by("order_id", "position", "pk"))
    events = by_order(EveryEvent.objects.filter(order_id__in=order_ids).order_by("pk"))
    cancelled: dict[int, list[EveryCancelledItem]] = {}
    for one in EveryCancelledItem.objects.filter(item__order_id__in=order_ids).order_by("pk"):
        cancelled.setdefault(one.item_id, []).append(one)
    account = User.objects.filter(pk=customer.user_id).first() if customer.user_id else None
    return {
        "shop": current_shop().name,
        "currency": current_shop().currency,
        "exported_at": timezone.now().isoformat(),
        "customer": {**plain(customer, *CONTACTS), "points": customer.points},
        "merged": [plain(one, *CONTACTS) for one in family],
        "account": account and plain(account, "email", "name", "language", "is_active", "created_at", "last_login"),
        "orders": [
            {
                **plain(order, *ORDER),
                "location": order.location.name,
                "promo_code": order.promo_code and order.promo_code.code,
                "items": [
                    {
                        **plain(item, *ITEM),
                        "cancelled": [
                            plain(one, "quantity", "reason", "created_at") for one in cancelled.get(item.pk, [])
                        ],
                    }
                    for item in items.get(order.pk, [])
                ],
                "events": [plain(event, "kind", "reason", "created_at") for event in events.get(order.pk, [])],
            }
            for order in orders
        ],
        "payments": [
            {
                "order": numbers[one.order_id],
                **plain(one, "method", "amount", "tip", "refunded", "reference", "created_at"),
            }
            for one in Payment.objects.filter(order_id__in=order_ids).order_by("pk")
        ],
        "refunds": [
            {"order": numbers[one.order_id], **plain(one, "amount", "withheld", "reason", "created_at")}
            for one in Refund.objects.filter(order_id__in=order_ids).order_by("pk")
        ],
        "points": [
            {
                "order": numbers.get(one.order_id) if one.order_id else None,
                **plain(one, "kind", "points", "reason", "expires_at", "created_at"),
            }
            for one in LoyaltyEntry.objects.filter(customer_id__in=ids).order_by("pk")
        ],
        "promo_codes": [
            {
                "code": one.promo_code.code,
                "order": numbers.get(one.order_id),
                **plain(one, "amount", "created_at", "released_at"),
            }
            for one in PromoRedemption.objects.filter(customer_id__in=ids).select_related("promo_code").order_by("pk")
        ],
    }


def by_order(rows: Any) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    for row in rows:
        found.setdefault(row.order_id, []).append(row)
    return found


def plain(record: Model, *names: str) -> dict[str, Any]:
    """These fields of a record in what JSON can hold."""
    values: dict[str, Any] = {}
    for name in names:
        value = getattr(record, name)
        if value is None or isinstance(value, bool | int | list | dict):
            values[name] = value
        else:
            values[name] = value.isoformat() if hasattr(value, "isoformat") else str(value)
    return values
