"""Taking Wildberries' orders on: an order is being worked on once it lies in a supply, and cancelled by its id."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from marketplaces.choices import OrderState
from marketplaces.clients.answers import need, optional
from marketplaces.clients.base import RemoteOrder
from marketplaces.clients.gate import Gate
from marketplaces.clients.http import USUAL_STATUSES, ApiSession
from marketplaces.clients.parts import parts_of
from marketplaces.clients.wildberries_orders import OrderReader
from marketplaces.errors import MarketplaceError, Refused

ORDERS_A_CALL = 100
SUPPLIES_A_PAGE = 1000
CANCELLED = (OrderState.CANCELLED, OrderState.RETURNED)

# What has to be the same of all orders in a supply: the size of goods, at home or abroad, the warehouse.
Kind = tuple[int, int, int]


class SupplyDesk:
    """Puts orders into supplies, and cancels them. The supplies that it opens carry a name by which they are found
    again: those that a person prepares are left alone."""

    def __init__(self, api: ApiSession, reader: OrderReader, cancel_gate: Gate) -> None:
        self.api = api
        self.reader = reader
        self.cancel_gate = cancel_gate
        self.open_supplies: dict[Kind, str] = {}

    def accept(self, orders: Sequence[RemoteOrder]) -> dict[str, MarketplaceError | None]:
        """See MarketplaceClient.accept."""
        outcomes: dict[str, MarketplaceError | None] = {}
        by_kind: dict[Kind, list[str]] = {}
        for order in orders:
            if order.state == OrderState.READY:
                by_kind.setdefault(kind_of(order.payload), []).append(order.external_id)
            else:
                outcomes[order.external_id] = outcome_of(order.state)
        for kind, ids in by_kind.items():
            for part in parts_of(ids, ORDERS_A_CALL):
                outcomes |= self.add(kind, part)
        return outcomes

    def add(self, kind: Kind, ids: list[str]) -> dict[str, MarketplaceError | None]:
        try:
            if self.is_added(kind, ids):
                return dict.fromkeys(ids)
        except MarketplaceError as error:
            return self.after_failure(ids, error)
        # Refused as a whole: because of an order that is no longer new, or because the supply has been closed.
        self.open_supplies.pop(kind, None)
        outcomes = self.outcomes_by_status(ids)
        rest = [order_id for order_id in ids if order_id not in outcomes]
        try:
            return outcomes | self.add_in_halves(kind, rest)
        except MarketplaceError as error:
            return outcomes | self.after_failure(rest, error)

    def add_in_halves(self, kind: Kind, ids: list[str]) -> dict[str, MarketplaceError | None]:
        """Finds those of the orders that can't be taken on, so that the others are."""
        if not ids or self.is_added(kind, ids):
            return dict.fromkeys(ids)
        if len(ids) == 1:
            return {ids[0]: Refused(_("Wildberries does not let this order into a supply."), status=409)}
        middle = len(ids) // 2
        return self.add_in_halves(kind, ids[:middle]) | self.add_in_halves(kind, ids[middle:])

    def is_added(self, kind: Kind, ids: list[str]) -> bool:
        supply = self.open_supplies.get(kind) or self.open_supply(kind)
        self.open_supplies[kind] = supply
        answer = self.api.call(
            "PATCH",
            f"/api/marketplace/v3/supplies/{supply}/orders",
            json={"orders": [int(order_id) for order_id in ids]},
            is_safe=False,
            accept=(*USUAL_STATUSES, 404, 409),
        )
        return answer.status < 400

    def outcomes_by_status(self, ids: Sequence[str]) -> dict[str, MarketplaceError | None]:
        """What is settled of these orders: taken on already, or not new any more. Those still new are left out."""
        statuses, _problems = self.reader.statuses(ids)
        return {
            order_id: outcome_of(statuses[order_id].state)
            for order_id in ids
            if order_id in statuses and statuses[order_id].state != OrderState.READY
        }

    def after_failure(self, ids: Sequence[str], error: MarketplaceError) -> dict[str, MarketplaceError | None]:
        """The call failed, and may have worked all the same: the status says so, if it can be had."""
        settled: dict[str, MarketplaceError | None] = {}
        if error.may_have_acted:
            try:
                settled = self.outcomes_by_status(ids)
            except MarketplaceError:
                # What counts is why the orders were not taken on; they are looked up again at the next attempt.
                settled = {}
        return {order_id: settled.get(order_id, error) if order_id in settled else error for order_id in ids}

    def open_supply(self, kind: Kind) -> str:
        """The newest supply of ours that is open for such orders, or a new one."""
        name = name_of_supply(kind)
        place, newest = 0, ""
        while True:
            params = {"limit": SUPPLIES_A_PAGE, "next": place}
            answer = self.api.call("GET", "/api/v3/supplies", params=params, is_safe=True).data
            supplies = need(answer, "supplies", list)
            for supply in supplies:
                if optional(supply, "name", str) == name and not optional(supply, "done", bool):
                    newest = need(supply, "id", str)
            following = optional(answer, "next", int) or 0
            if len(supplies) < SUPPLIES_A_PAGE or following in (0, place):
                break
            place = following
        return newest or need(
            self.api.call("POST", "/api/v3/supplies", json={"name": name}, is_safe=False).data, "id", str
        )

    def roll_back(self, order: RemoteOrder) -> None:
        """Cancels the order. Raises Refused where Wildberries says no and it is not cancelled already."""
        if order.state in CANCELLED:
            return
        answer = self.api.call(
            "PATCH",
            f"/api/v3/orders/{order.external_id}/cancel",
            is_safe=True,
            gates=[self.cancel_gate],
            accept=(*USUAL_STATUSES, 409),
        )
        if answer.status != 409:
            return
        statuses, _problems = self.reader.statuses([order.external_id])
        status = statuses.get(order.external_id)
        if status is None or status.state not in CANCELLED:
            raise Refused(
                optional(answer.data, "message", str) or _("Wildberries does not cancel this order."),
                status=409,
                code=optional(answer.data, "code", str) or "",
            )


def kind_of(payload: Mapping[str, Any]) -> Kind:
    return (
        optional(payload, "cargoType", int) or 0,
        optional(payload, "crossBorderType", int) or 0,
        optional(payload, "warehouseId", int) or 0,
    )


def name_of_supply(kind: Kind) -> str:
    cargo, border, warehouse = kind
    return f"Samovar {warehouse}-{cargo}-{border}"


def outcome_of(state: OrderState) -> MarketplaceError | None:
    """What accepting an order comes to that is not new: nothing to do, or no longer possible."""
    if state in CANCELLED:
        return Refused(_("The order is cancelled on Wildberries."))
    if state == OrderState.UNKNOWN:
        return Refused(_("The order has a status on Wildberries that is not known."))
    return None
