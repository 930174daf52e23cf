"""The queue: what waits, asked for every few seconds, and the one tap that carries an order along."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified, JsonResponse
from django.utils.translation import gettext as _

from foundation.admin.ids import as_id
from foundation.errors import InvalidInput, NotPermitted
from orders.admin.answers import answer, once
from orders.admin.cart import read_object
from orders.models import Order
from orders.pages.counter_door import CounterQuestion, actor_of, require_seller
from orders.pages.counter_input import read_one_id, read_tenders
from orders.pages.counter_words import sale_as_json
from orders.queue_selectors import QueuedOrder, queue_of, queue_version
from orders.services.actor import Actor
from orders.services.counter_sale import settle_at_counter
from orders.services.transitions import complete_order, prepare_order, ready_order

COMPLETE_UNPAID = "orders.complete_unpaid"


class QueuePage(CounterQuestion):
    """The location's queue; 304 while nothing has changed, which takes one small query."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> HttpResponse:
        location_id = as_id(request.GET.get("location"))
        if location_id is None:
            return answer(_no_location)
        version = f'"{location_id}.{queue_version(location_id=location_id)}"'
        if request.headers.get("If-None-Match") == version:
            response: HttpResponse = HttpResponseNotModified()
        else:
            response = JsonResponse({"orders": queue_as_json(location_id)})
        response["ETag"] = version
        response["Cache-Control"] = "no-cache, private"
        return response


def _no_location() -> dict[str, Any]:
    raise InvalidInput.at("location", _("Say which location is meant."))


def queue_as_json(location_id: int) -> list[dict[str, Any]]:
    return [order_as_json(order) for order in queue_of(location_id=location_id)]


def order_as_json(order: QueuedOrder) -> dict[str, Any]:
    """A card of the queue. It says nothing in words, so that it is the same in all languages."""
    return {
        "id": order.id,
        "number": order.number,
        "call": order.call_number,
        "status": order.status,
        "channel": order.channel,
        "customer": order.customer,
        "comment": order.comment,
        "placed_at": order.placed_at.isoformat(),
        "total": str(order.total),
        "due": str(order.due),
        "lines": [[line.quantity, line.name, line.options] for line in order.lines],
    }


class AdvancePage(CounterQuestion):
    """Carries an order one step along. Two taps, or two tills, carry it one step: the second is told where it is."""

    permissions = ("orders.view_order", "orders.advance_order")
    http_method_names = ["post"]

    def post(self, request: HttpRequest, order_id: str, verb: str) -> HttpResponse:
        return answer(lambda: self.advance(request, order_id, verb))

    def advance(self, request: HttpRequest, order_id: str, verb: str) -> dict[str, Any]:
        require_seller(request)
        order = VERBS[verb](int(order_id), actor_of(request), self.is_let_go_unpaid(request))
        return {"status": order.status}

    def is_let_go_unpaid(self, request: HttpRequest) -> bool:
        """Whether somebody said that it is handed over all the same. Who may is asked about the money, too, before."""
        if read_object(request).get("unpaid") is not True:
            return False
        if not request.user.has_perm(COMPLETE_UNPAID):
            raise NotPermitted(_("You may not hand over what is not paid."))
        return True


VERBS: dict[str, Callable[[int, Actor, bool], Order]] = {
    "prepare": lambda pk, actor, lenient: prepare_order(order_id=pk, actor=actor),
    "ready": lambda pk, actor, lenient: ready_order(order_id=pk, actor=actor),
    "complete": lambda pk, actor, lenient: complete_order(order_id=pk, actor=actor, allow_unpaid=lenient),
}


class PayPage(CounterQuestion):
    """Takes what is paid for an order that waits, and hands it over with that if the page says so."""

    permissions = ("orders.view_order", "orders.add_payment")
    http_method_names = ["post"]

    def post(self, request: HttpRequest, order_id: str) -> HttpResponse:
        return answer(lambda: once(request, lambda: self.pay(request, order_id)))

    def pay(self, request: HttpRequest, order_id: str) -> dict[str, Any]:
        require_seller(request)
        data = read_object(request)
        hands_over = data.get("hands_over") is True
        if hands_over and not request.user.has_perm("orders.advance_order"):
            raise NotPermitted(_("You may not hand orders over."))
        sale = settle_at_counter(
            order_id=int(order_id),
            tenders=read_tenders(data),
            shift_id=read_one_id(data, "shift"),
            hands_over=hands_over,
            actor=actor_of(request),
        )
        return sale_as_json(sale)
