"""Receiving what was ordered: made for the phone in the hand of who stands at the delivery van."""

import re
from typing import Any

from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from foundation.admin.once import Done
from foundation.admin.pages import FormPage
from foundation.decimals import plain
from foundation.errors import InvalidInput, Refusal
from inventory import costs
from inventory.admin.ordering_pages import found_order, order_url
from inventory.admin.purchase_forms import MOST_LINES, DeliveryForm, DeliveryLines, outstanding_shown
from inventory.admin.purchase_tables import status_badge
from inventory.admin.shown import amount_shown
from inventory.models import PurchaseOrder, PurchaseOrderLine, SupplierPack
from inventory.services.receiving import receive_purchase_order

AMOUNT = re.compile(r"\.(packs|quantity)$")


class ReceiveOrderPage(FormPage):
    """Each line that is expected with what has not come yet; what came instead is written over it."""

    path, name = "<int:pk>/receive/", "receive"
    title = gettext_lazy("Receive the delivery")
    permission = "inventory.receive_purchaseorder"
    template_name = "inventory/receive_purchase_order.html"
    form_class, formset_class = DeliveryForm, DeliveryLines
    submit_label, submit_icon = gettext_lazy("Receive"), "move_to_inbox"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        # A form that was sent goes on to the service, which says why not.
        if (
            request.method == "GET"
            and request.user.has_perm(self.permission)
            and self.order.status not in PurchaseOrder.EXPECTED
        ):
            return HttpResponseRedirect(order_url(self.order))
        return super().dispatch(request, *args, **kwargs)

    @cached_property
    def order(self) -> PurchaseOrder:
        return found_order(self.kwargs["pk"])

    @cached_property
    def ordered(self) -> dict[int, PurchaseOrderLine]:
        return {line.pk: line for line in self.order.lines.select_related("ingredient")}

    @cached_property
    def expected(self) -> list[PurchaseOrderLine]:
        """The lines of which something is still to come, as many as a form holds."""
        return [line for line in self.ordered.values() if line.outstanding][:MOST_LINES]

    @cached_property
    def offered(self) -> list[SupplierPack]:
        """What the supplier sells besides."""
        named = {line.pack_id for line in self.ordered.values()}
        packs = self.order.supplier.packs.select_related("ingredient").order_by("ingredient__name", "name")
        return [pack for pack in packs if pack.pk not in named]

    @property
    def shows_prices(self) -> bool:
        """Prices are for who may see costs; without them what came costs what was ordered."""
        return self.request.user.has_perm(costs.PERMISSION)

    def form_kwargs(self) -> dict[str, Any]:
        return {"initial": {"expected_receipts": self.order.receipts.count()}}

    def formset_kwargs(self) -> dict[str, Any]:
        kwargs = {"ordered": self.ordered, "offered": self.offered, "shows_prices": self.shows_prices}
        if self.request.method == "POST":
            return kwargs
        filled = [{"what": f"line:{line.pk}", "price": line.price, **outstanding_shown(line)} for line in self.expected]
        return {**kwargs, "filled": filled}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        for form in kwargs["formset"].forms:
            if form.line is not None:
                form.shown = {
                    "ordered": amount_shown(form.line.quantity, form.line.ingredient),
                    "outstanding": amount_shown(form.line.outstanding, form.line.ingredient),
                    "content": amount_shown(form.line.pack_quantity, form.line.ingredient),
                    "packs": plain(form.line.packs),
                    "has_come": bool(form.line.received_quantity),
                }
        return super().get_context_data(
            order=self.order,
            order_badge=status_badge(self.order),
            order_page=order_url(self.order),
            shows_prices=self.shows_prices,
            left_out=max(sum(1 for line in self.ordered.values() if line.outstanding) - MOST_LINES, 0),
            **kwargs,
        )

    def place(self, refusal: Refusal, form: Any, lines: list[Any]) -> None:
        """What is wrong with packs or a quantity is wrong with the amount."""
        if isinstance(refusal, InvalidInput):
            refusal.errors = {AMOUNT.sub(".amount", field): said for field, said in refusal.errors.items()}
        super().place(refusal, form, lines)

    def act(self, form: DeliveryForm, lines: list[Any]) -> Done:
        data = form.cleaned_data
        document = receive_purchase_order(
            order_id=self.order.pk,
            lines=[line.received_line() for line in lines],
            delivery_note=data["delivery_note"],
            comment=data["comment"],
            is_final=data["is_final"],
            expected_receipts=data["expected_receipts"],
            created_by_id=self.request.user.pk,
        )
        return Done(
            message=_("Received: %(document)s.") % {"document": str(document)},
            url=reverse("admin:inventory_purchaseorder_change", args=[self.order.pk]),
        )
