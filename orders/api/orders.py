"""orders/"""

from typing import Any, cast

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from foundation.api.idempotency import IdempotentMixin
from foundation.api.serializers import NothingSerializer, validated
from foundation.errors import NotPermitted
from inventory.models import Location
from inventory.selectors import location_for
from orders.api.bodies import (
    CancelBodySerializer,
    CancelItemBodySerializer,
    EditBodySerializer,
    OrderBodySerializer,
    OwnOrderBodySerializer,
)
from orders.api.filters import OrderFilter
from orders.api.serializers import OrderEventSerializer, OrderSerializer, QuoteSerializer
from orders.errors import UnknownOrder
from orders.models import Customer, EveryEvent, EveryOrder, Order, OrderEvent
from orders.powers import COMPLETE_UNPAID, REFUND
from orders.quote_selectors import quote_order
from orders.selectors import visible_orders
from orders.services.actor import Actor
from orders.services.cancel import cancel_item, cancel_order
from orders.services.customers import place_own_order
from orders.services.edit import edit_order
from orders.services.place import place_order
from orders.services.transitions import complete_order, prepare_order, ready_order
from users.models import User

PLACE, PLACE_OWN = "orders.add_order", "orders.place_own_order"
SELL_BELOW_MINIMUM = "inventory.sell_below_minimum"
SELL_ANYWAY = "inventory.sell_anyway"


def actor_of(request: Request) -> Actor:
    """The person or program that asks."""
    return Actor(request.user.pk, OrderEvent.Door.API)


@extend_schema(tags=["orders"])
class OrderViewSet(IdempotentMixin, ListModelMixin, RetrieveModelMixin, GenericViewSet):
    """Orders, the newest first, archived ones too. A customer sees and places only their own."""

    serializer_class = OrderSerializer
    filterset_class = OrderFilter
    lookup_value_converter = "int"
    action_permissions = {
        "list": ("orders.view_order", PLACE_OWN),
        "retrieve": ("orders.view_order", PLACE_OWN),
        "create": (PLACE, PLACE_OWN),
        "quote": (PLACE, PLACE_OWN),
        "partial_update": "orders.change_order",
        "prepare": "orders.advance_order",
        "ready": "orders.advance_order",
        "complete": "orders.advance_order",
        "cancel": "orders.cancel_order",
        "cancel_item": "orders.cancel_order",
    }

    def get_queryset(self) -> QuerySet[EveryOrder]:
        return visible_orders(self.request.user).select_related("promo_code").prefetch_related("items")

    @property
    def ordering(self) -> str:
        """The newest first; within a period by the time they were placed, as they lie together there."""
        asked = self.request.query_params
        return "-placed_at" if asked.get("placed_after") or asked.get("placed_before") else "-id"

    @extend_schema(request=OrderBodySerializer, responses={201: OrderSerializer})
    def create(self, request: Request) -> Response:
        """Sells: every gram leaves the stock, or nothing is placed. A customer orders for themselves, and says no more
        than `location`, `items`, `comment`, `promo_code` and `redeem_points`."""
        values = self.asked()
        if self.is_for_oneself:
            order = place_own_order(user_id=cast("User", request.user).pk, actor=actor_of(request), **values)
        else:
            order = place_order(actor=actor_of(request), **values)
        return self.answer(order, status.HTTP_201_CREATED)

    @extend_schema(request=OrderBodySerializer, responses=QuoteSerializer)
    @action(detail=False, methods=["post"])
    def quote(self, request: Request) -> Response:
        """What the order would cost and what stands in its way. Nothing is placed."""
        values = self.asked()
        quote = quote_order(
            location=values["location"],
            lines=values["lines"],
            customer_id=self.asking_customer(values),
            promo_code=values["promo_code"],
            redeem_points=values["redeem_points"],
            allow_below_minimum=values.get("allow_below_minimum", False),
            sell_anyway=values.get("sell_anyway", False),
        )
        return Response(QuoteSerializer(quote, context={"location": values["location"]}).data)

    @extend_schema(request=EditBodySerializer)
    def partial_update(self, request: Request, pk: int) -> Response:
        """Makes a pending order consist of these lines; the stock moves by the difference."""
        values = validated(EditBodySerializer, request, changes_only=True)
        order = edit_order(
            order_id=pk,
            actor=actor_of(request),
            lines=values.get("items"),
            comment=values.get("comment"),
            promo_code=values.get("promo_code"),
            redeem_points=values.get("redeem_points"),
            **self.leniency(values),
        )
        return self.answer(order)

    @extend_schema(request=NothingSerializer)
    @action(detail=True, methods=["post"])
    def prepare(self, request: Request, pk: int) -> Response:
        """pending → preparing"""
        validated(NothingSerializer, request)
        return self.answer(prepare_order(order_id=pk, actor=actor_of(request)))

    @extend_schema(request=NothingSerializer)
    @action(detail=True, methods=["post"])
    def ready(self, request: Request, pk: int) -> Response:
        """preparing → ready"""
        validated(NothingSerializer, request)
        return self.answer(ready_order(order_id=pk, actor=actor_of(request)))

    @extend_schema(request=NothingSerializer)
    @action(detail=True, methods=["post"])
    def complete(self, request: Request, pk: int) -> Response:
        """An active order → completed. It has to be fully paid, but for who may complete unpaid orders."""
        validated(NothingSerializer, request)
        may = request.user.has_perm(COMPLETE_UNPAID)
        return self.answer(complete_order(order_id=pk, actor=actor_of(request), allow_unpaid=may))

    @extend_schema(request=CancelBodySerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: int) -> Response:
        """An active order → cancelled; its ingredients come back, or are written off as wasted. What was paid goes
        back the way it came, which takes the permission to refund."""
        values = validated(CancelBodySerializer, request)
        may = request.user.has_perm(REFUND)
        return self.answer(cancel_order(order_id=pk, actor=actor_of(request), may_refund=may, **values))

    @extend_schema(request=CancelItemBodySerializer)
    @action(detail=True, methods=["post"], url_path="items/<int:item>/cancel", url_name="cancel-item")
    def cancel_item(self, request: Request, pk: int, item: int) -> Response:
        """Takes back a part of a line; when nothing is left of the order, it is cancelled."""
        values = validated(CancelItemBodySerializer, request)
        may = request.user.has_perm(REFUND)
        order = cancel_item(order_id=pk, item_id=item, actor=actor_of(request), may_refund=may, **values)
        return self.answer(order)

    @property
    def is_for_oneself(self) -> bool:
        return not self.request.user.has_perm(PLACE)

    def asked(self) -> dict[str, Any]:
        """The new order that the body describes, in the words of the services."""
        body = OwnOrderBodySerializer if self.is_for_oneself else OrderBodySerializer
        values = validated(body, self.request)
        location: Location = location_for(user=self.request.user, location_id=values.get("location"))
        asked = {
            "location": location,
            "lines": values["items"],
            "comment": values.get("comment", ""),
            "promo_code": values.get("promo_code", ""),
            "redeem_points": values.get("redeem_points", 0),
        }
        if self.is_for_oneself:
            return asked
        customer, employee = values.get("customer"), values.get("employee")
        return {
            **asked,
            "channel": values.get("channel", Order.Channel.API),
            "customer_id": customer.pk if customer else None,
            "employee_id": employee.pk if employee else None,
            **self.leniency(values),
        }

    def asking_customer(self, values: dict[str, Any]) -> int | None:
        """Who would buy: the person who asks, if they order for themselves and are known as a customer."""
        if not self.is_for_oneself:
            customer_id: int | None = values["customer_id"]
            return customer_id
        user = cast("User", self.request.user)
        return Customer.objects.filter(user=user).values_list("pk", flat=True).first()

    def leniency(self, values: dict[str, Any]) -> dict[str, bool]:
        """What the body asks to be let pass, in the words of the services. Raises NotPermitted for who may not."""
        below_minimum: bool = values.get("allow_below_minimum", False)
        anyway: bool = values.get("sell_anyway", False)
        if below_minimum and not self.request.user.has_perm(SELL_BELOW_MINIMUM):
            raise NotPermitted(_("You may not sell what is below its minimum."))
        if anyway and not self.request.user.has_perm(SELL_ANYWAY):
            raise NotPermitted(_("You may not sell what the stock says is not there."))
        return {"allow_below_minimum": below_minimum, "sell_anyway": anyway}

    def answer(self, order: Order, code: int = status.HTTP_200_OK) -> Response:
        return Response(self.get_serializer(order).data, status=code)


@extend_schema(tags=["orders"])
class OrderEventViewSet(ListModelMixin, GenericViewSet):
    """What happened to an order, the first event first."""

    serializer_class = OrderEventSerializer
    ordering = "id"
    action_permissions = {"list": ("orders.view_order", PLACE_OWN)}

    def get_queryset(self) -> QuerySet[EveryEvent]:
        if getattr(self, "swagger_fake_view", False):
            return EveryEvent.objects.none()
        order_id = self.kwargs["order_pk"]
        if not visible_orders(self.request.user).filter(pk=order_id).exists():
            raise UnknownOrder(order_id)
        return EveryEvent.objects.filter(order_id=order_id)
