"""How Ozon tells a posting: in its lists, singly, and from its own warehouses."""

from typing import Any

from marketplaces.standin.clock import iso
from marketplaces.standin.people import buyer_of
from marketplaces.standin.sellers import REALFBS, Order, Seller
from marketplaces.standin.trade import OPEN_AT_OZON
from marketplaces.standin.world import DAY

REASONS = (
    (352, "Товар закончился на складе продавца", True),
    (400, "Остался только бракованный товар", True),
    (401, "Продавец отклонил арбитраж", False),
    (402, "Другое (вина продавца)", True),
    (666, "Возврат из службы доставки: нет доставки в указанный регион", False),
)
OTHER_REASON = 402
BUYERS_REASON = (501, "Покупатель передумал")


def flow_of(order: Order) -> str:
    return "non_integrated" if order.scheme == REALFBS else "ozon"


def cancellation_of(order: Order) -> dict[str, Any]:
    titles = {id: title for id, title, _is_open in REASONS} | dict([BUYERS_REASON])
    is_buyers = order.reason_id == BUYERS_REASON[0]
    return {
        "affect_cancellation_rating": bool(order.reason_id) and not is_buyers,
        "cancel_reason": titles.get(order.reason_id, ""),
        "cancel_reason_id": order.reason_id,
        "cancellation_initiator": ("Клиент" if is_buyers else "Продавец") if order.reason_id else "",
        "cancellation_type": ("client" if is_buyers else "seller") if order.reason_id else "",
        "cancelled_after_ship": False,
    }


def posting_of(seller: Seller, order: Order) -> dict[str, Any]:
    """A posting as the lists tell it."""
    warehouse = seller.warehouses.get(order.warehouse)
    number = int(order.warehouse) if order.warehouse.isdigit() else 0
    actions = (
        ["ship", "cancel"]
        if order.status == "awaiting_packaging"
        else ["cancel"]
        if order.status in OPEN_AT_OZON
        else []
    )
    return {
        "posting_number": order.id,
        "order_id": order.serial,
        "order_number": order.number,
        "parent_posting_number": "",
        "status": order.status,
        "substatus": order.substatus,
        "delivery_schema": "rfbs" if order.scheme == REALFBS else "fbs",
        "integration_type_flow": flow_of(order),
        "tpl_integration_type": flow_of(order),
        "tracking_number": "",
        "in_process_at": iso(order.placed_at),
        "shipment_date": iso(order.placed_at + DAY),
        "shipment_date_without_delay": iso(order.placed_at + DAY),
        "delivering_date": None,
        "is_express": False,
        "is_multibox": False,
        "multi_box_qty": 1,
        "available_actions": actions,
        "delivery_method": {
            "id": number,
            "name": "Доставка",
            "tpl_provider": "Доставка Ozon",
            "tpl_provider_id": 24,
            "warehouse": warehouse.name if warehouse else "",
            "warehouse_id": number,
        },
        "cancellation": cancellation_of(order),
        "products": [
            {**product, "price": {"amount": product["price"], "currency": order.currency}, "imei": [], "weight": 0.2}
            for product in products_of(seller, order)
        ],
    }


def told_singly(seller: Seller, order: Order) -> dict[str, Any]:
    """A posting as the older call for one tells it: prices are plain there."""
    posting_ = posting_of(seller, order)
    del posting_["delivery_schema"], posting_["integration_type_flow"]
    buyer = buyer_of(order.buyer)
    name = f"{buyer['firstName']} {buyer['lastName']}"
    return {
        **posting_,
        "customer": {"customer_id": order.buyer, "name": name, "phone": ""} if order.scheme == REALFBS else None,
        "products": [{**product, "currency_code": order.currency} for product in products_of(seller, order)],
    }


def products_of(seller: Seller, order: Order) -> list[dict[str, Any]]:
    found = []
    for line in order.lines:
        offer = seller.offers.get(line.sku)
        found.append(
            {
                "name": offer.name if offer else line.sku,
                "offer_id": line.sku,
                "sku": offer.number if offer else 0,
                "quantity": line.quantity,
                "price": line.price,
                "is_marketplace_buyout": False,
            }
        )
    return found


def fbo_posting_of(seller: Seller, order: Order) -> dict[str, Any]:
    return {
        "posting_number": order.id,
        "order_id": order.serial,
        "order_number": order.number,
        "status": order.status,
        "substatus": order.substatus,
        "created_at": iso(order.placed_at),
        "in_process_at": iso(order.placed_at),
        "cancel_reason_id": order.reason_id,
        "products": [{**product, "currency_code": order.currency} for product in products_of(seller, order)],
    }
