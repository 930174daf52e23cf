"""The page of one order: what was sold, what happened to it, what it took from the stock. Nothing is typed here."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from foundation.admin.ids import as_id
from foundation.admin.once import new_token
from foundation.admin.verbs import VerbButton, VerbButtons
from foundation.money import money
from inventory.admin.places import shows_places
from inventory.models import Ingredient, StockMovement
from inventory.selectors import ledger_of_document
from orders.admin.money_verbs import PAYMENT_VERBS
from orders.admin.order_money import money_notes, money_of
from orders.admin.verbs import CANCEL_ITEM, CancelItemForm
from orders.models import ArchivedOrder, EveryCancelledItem, EveryEvent, EveryItem, Order, OrderEvent
from orders.services.deduction import DOCUMENT_TYPE
from orders.step_words import steps_of_order

Reason = StockMovement.Reason
SHOWN_WITH = ("location", "customer", "employee", "created_by")


@dataclass(slots=True)
class Line:
    """A line of the order as its page shows it; `cancel` is the form that takes back a part of it."""

    item: EveryItem
    cancelled: list[EveryCancelledItem]
    cancel: VerbButton | None = None


@dataclass(slots=True)
class IngredientUse:
    """What the order did to the level of one ingredient, in its base unit."""

    ingredient: Ingredient
    sold: Decimal = Decimal(0)
    returned: Decimal = Decimal(0)
    wasted: Decimal = Decimal(0)
    movements: list[tuple[StockMovement, str]] = field(default_factory=list)

    @property
    def net(self) -> Decimal:
        """How the level differs now from what it was before the order."""
        return self.returned - self.sold


@dataclass(frozen=True, slots=True)
class Happening:
    """An event of the order in words."""

    event: EveryEvent
    notes: list[str]


class OrderPage(VerbButtons):
    """The part of the orders' admin that shows one order."""

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The page itself; it takes no POST: an order changes through its verbs and its edit page only."""
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET"])
        order = self.get_object(request, unquote(object_id))
        if not self.has_view_or_change_permission(request, order):
            raise PermissionDenied
        if order is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        request.current_app = self.admin_site.name
        return TemplateResponse(
            request,
            "orders_admin/order.html",
            {
                **self.admin_site.each_context(request),
                "title": str(order),
                "opts": self.opts,
                "original": order,
                "model_admin": self,
                **self.page_of(request, order),
                **(extra_context or {}),
            },
        )

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """An order tells its history on its own page."""
        return redirect("admin:orders_order_change", unquote(object_id))

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """The order, also one that has moved into the archive: there it is only shown, its verbs are refused."""
        order = super().get_object(request, object_id, from_field)
        pk = as_id(object_id)
        if order is not None or pk is None:
            return order
        return ArchivedOrder.objects.select_related(*SHOWN_WITH).filter(pk=pk).first()

    def page_of(self, request: HttpRequest, order: Order) -> dict[str, Any]:
        """What the page shows besides its frame."""
        # Read as those of any order: it may be archived.
        cancelled = with_their_authors(EveryCancelledItem.objects.all(), "cancellations")
        items = list(EveryItem.objects.filter(order_id=order.pk).prefetch_related(cancelled))
        events = EveryEvent.objects.filter(order_id=order.pk).select_related("created_by")
        sees_ledger = request.user.has_perm("inventory.view_stockmovement")
        ledger = ledger_of_document(document_type=DOCUMENT_TYPE, document_id=order.pk) if sees_ledger else []
        uses = uses_of(ledger, {str(item.pk): item.name for item in items})
        buttons = self.verb_buttons(request, order)
        of_money = [button for button in buttons if button.verb in PAYMENT_VERBS]
        return {
            "order": order,
            "is_imported": order.channel == Order.Channel.IMPORT,
            "zone": order.location.time_zone,
            "lines": self.lines_of(request, order, items),
            "steps": steps_of_order(order),
            "happenings": [Happening(one, notes_of(one)) for one in events],
            "uses": uses,
            "something_returned": any(use.returned for use in uses),
            "something_wasted": any(use.wasted for use in uses),
            "sees_ledger": sees_ledger,
            "verb_buttons": first_stands_out([button for button in buttons if button not in of_money]),
            "order_money": money_of(order, of_money),
            "can_edit": order.status == Order.Status.PENDING and request.user.has_perm("orders.change_order"),
            "can_add": request.user.has_perm("orders.add_order"),
            "shows_location": shows_places(request),
        }

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        return super().get_queryset(request).select_related(*SHOWN_WITH)

    def lines_of(self, request: HttpRequest, order: Order, items: Iterable[EveryItem]) -> list[Line]:
        """The lines, each with the form to cancel a part of it if this person may and something is left of it."""
        may_cancel = order.is_active and request.user.has_perm(CANCEL_ITEM.permission)
        url = self.verb_url(order, CANCEL_ITEM.name)
        lines = []
        for item in items:
            line = Line(item, list(item.cancellations.all()))
            if may_cancel and item.remaining:
                form = CancelItemForm(obj=order, prefix=CANCEL_ITEM.name, auto_id=f"id_{item.pk}_%s")
                line.cancel = VerbButton(verb=CANCEL_ITEM, url=url, token=new_token(), form=form)
            lines.append(line)
        return lines


def first_stands_out(buttons: list[VerbButton]) -> list[VerbButton]:
    """The buttons above the page: the first thing that can be done stands out."""
    if buttons and buttons[0].verb.variant != "danger":
        buttons[0] = replace(buttons[0], verb=replace(buttons[0].verb, variant="primary"))
    return buttons


def with_their_authors(records: QuerySet[Any], name: str) -> Prefetch:
    return Prefetch(name, queryset=records.select_related("created_by"))


def uses_of(movements: Iterable[StockMovement], line_names: dict[str, str]) -> list[IngredientUse]:
    """The ledger of the order by ingredient, in the order of names; what was wasted did not come back."""
    uses: dict[int, IngredientUse] = {}
    for movement in movements:
        use = uses.setdefault(movement.ingredient_id, IngredientUse(movement.ingredient))
        use.movements.append((movement, line_names.get(movement.line_id, "")))
        if movement.reason == Reason.WRITE_OFF:
            use.wasted -= movement.delta
            use.returned += movement.delta
        elif movement.delta > 0:
            use.returned += movement.delta
        else:
            use.sold -= movement.delta
    return sorted(uses.values(), key=lambda use: use.ingredient.name)


def notes_of(event: EveryEvent) -> list[str]:
    """What an event has to tell besides its kind: what was cancelled, where the ingredients went, what was edited."""
    details, notes = event.details, []
    if event.kind == OrderEvent.Kind.IMPORTED and "transaction" in details:
        notes.append(_("transaction %(transaction)s, line %(line)s of %(file)s") % details)
        if "till" in details:
            notes.append(_("till: %(till)s") % details)
    if event.kind == OrderEvent.Kind.ITEM_CANCELLED and "name" in details:
        notes.append(f"{details['quantity']} × {details['name']}")
    notes += money_notes(event)
    if "restock" in details:
        notes.append(_("ingredients returned to stock") if details["restock"] else _("ingredients written off"))
    if "items" in details:
        items = details["items"]
        notes.append(_("before: %(items)s") % {"items": ", ".join(items["before"]) or "—"})
        notes.append(_("after: %(items)s") % {"items": ", ".join(items["after"])})
    if "discount" in details:
        before, after = (money(amount) for amount in details["discount"])
        notes.append(_("discount: %(before)s, now %(after)s") % {"before": before, "after": after})
    if "unpaid" in details:
        notes.append(_("not paid: %(amount)s") % {"amount": money(details["unpaid"])})
    if "comment" in details:
        notes.append(_("comment: %(text)s") % {"text": details["comment"][-1] or "—"})
    return notes
