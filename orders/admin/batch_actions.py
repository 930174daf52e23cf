"""Completing and cancelling many orders from their list."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.admin import ModelAdmin

from foundation.admin.forms import ThemedForm
from foundation.admin.ids import as_id
from foundation.errors import Refusal
from orders.admin.verbs import ReasonField, WayBackField, actor_of
from orders.models import BatchRun, Order
from orders.powers import COMPLETE_UNPAID, REFUND
from orders.services.batch import MOST_ORDERS, PART, BatchResult, cancel_orders, complete_orders, start_batch
from orders.tasks import hand_over

# What the page that asks about a cancellation sends back: that it was asked, and which orders were meant. Up to
# 1,000 by their ids; a larger selection is made again from the list's filters, up to the newest order there was.
CONFIRMED_FIELD, IDS_FIELD, NEWEST_FIELD = "confirmed", "ids", "newest"


class BatchCancelForm(ThemedForm):
    """Why the orders are cancelled, and what becomes of their ingredients."""

    reason = ReasonField()
    restock = WayBackField()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an order, for the page that tells it."""

    order: Order
    sentence: str


class BatchActions(ModelAdmin):
    """The part of the orders' admin that acts on many of them."""

    actions: ClassVar[Sequence[str]] = ("complete_selected", "cancel_selected")

    def has_advance_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("orders.advance_order")

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("orders.cancel_order")

    @admin.action(description=gettext_lazy("Complete"), permissions=["advance"])
    def complete_selected(self, request: HttpRequest, queryset: QuerySet[Order]) -> HttpResponse | None:
        ids = chosen_ids(request, queryset)
        may = {"allow_unpaid": request.user.has_perm(COMPLETE_UNPAID)}
        return self.do_or_start(request, BatchRun.Verb.COMPLETE, ids, may)

    @admin.action(description=gettext_lazy("Cancel…"), permissions=["cancel"])
    def cancel_selected(self, request: HttpRequest, queryset: QuerySet[Order]) -> HttpResponse | None:
        ids = chosen_ids(request, queryset)
        if not ids:
            self.message_user(request, _("Choose at least one order."), messages.WARNING)
            return None
        form = BatchCancelForm(request.POST if CONFIRMED_FIELD in request.POST else None)
        if form.is_valid():
            how = {**form.cleaned_data, "may_refund": request.user.has_perm(REFUND)}
            return self.do_or_start(request, BatchRun.Verb.CANCEL, ids, how)
        return self.batch_page(
            request,
            "orders_admin/batch_cancel.html",
            title=ngettext("Cancel %(number)d order", "Cancel %(number)d orders", len(ids)) % {"number": len(ids)},
            form=form,
            sent_back={
                "action": "cancel_selected",
                "select_across": "1",
                # Without one chosen order Django takes this for no action at all.
                ACTION_CHECKBOX_NAME: ids[0],
                CONFIRMED_FIELD: "1",
                IDS_FIELD: ",".join(str(pk) for pk in ids) if len(ids) <= PART else "",
                NEWEST_FIELD: ids[-1],
            },
        )

    def response_action(self, request: HttpRequest, queryset: QuerySet[Order]) -> HttpResponse | None:
        """Django's own, after a look at the ids: what is none would be an error of ours."""
        if all(as_id(pk) for pk in request.POST.getlist(ACTION_CHECKBOX_NAME)):
            return super().response_action(request, queryset)
        self.message_user(request, _("Some of the chosen orders do not exist. Choose them anew."), messages.ERROR)
        return None

    def do_or_start(
        self, request: HttpRequest, verb: BatchRun.Verb, ids: list[int], how: dict[str, Any]
    ) -> HttpResponse | None:
        """Up to 1,000 orders are dealt with at once; more go on in the background, on a page that shows how far."""
        actor = actor_of(request)
        try:
            if len(ids) > PART:
                run = start_batch(verb=verb, order_ids=ids, actor=actor, **how)
                hand_over(run.pk)
                return redirect("admin:orders_batchrun_change", run.pk)
            service = complete_orders if verb == BatchRun.Verb.COMPLETE else cancel_orders
            results = service(order_ids=ids, actor=actor, **how)
        except Refusal as refusal:
            self.message_user(request, refusal.detail, messages.ERROR)
            return None
        return self.tell(request, verb, results)

    def tell(self, request: HttpRequest, verb: BatchRun.Verb, results: list[BatchResult]) -> HttpResponse | None:
        """Back to the list if all went well; else a page that says of each other order why not."""
        refused = {result.order_id: result.refusal for result in results if result.refusal}
        done = len(results) - len(refused)
        if verb == BatchRun.Verb.COMPLETE:
            sentence = ngettext("%(number)d order is completed.", "%(number)d orders are completed.", done)
        else:
            sentence = ngettext("%(number)d order is cancelled.", "%(number)d orders are cancelled.", done)
        if done:
            self.message_user(request, sentence % {"number": done}, messages.SUCCESS)
        if not refused:
            return None
        orders = Order.objects.in_bulk(list(refused))
        return self.batch_page(
            request,
            "orders_admin/batch_result.html",
            title=_("Not all could be done"),
            done=done,
            outcomes=[Outcome(orders[pk], refusal.detail) for pk, refusal in refused.items() if pk in orders],
        )

    def batch_page(self, request: HttpRequest, template: str, **context: Any) -> HttpResponse:
        request.current_app = self.admin_site.name
        frame = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "model_admin": self,
            "back_url": request.get_full_path(),
        }
        return TemplateResponse(request, template, {**frame, **context})


def chosen_ids(request: HttpRequest, queryset: QuerySet[Order]) -> list[int]:
    """The ids of the chosen orders, in their order; one more than a batch may take, so that the service refuses it."""
    if listed := request.POST.get(IDS_FIELD):
        return sorted({pk for text in listed.split(",")[: PART + 1] if (pk := as_id(text))})
    newest = as_id(request.POST.get(NEWEST_FIELD))
    chosen = queryset.filter(pk__lte=newest) if newest else queryset
    return list(chosen.order_by("pk").values_list("pk", flat=True)[: MOST_ORDERS + 1])
