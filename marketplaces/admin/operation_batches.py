"""Cancelling many stock operations from their list, and trying many again."""

from collections.abc import Sequence
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.admin import ModelAdmin

from foundation.admin.forms import ThemedForm
from foundation.errors import Refusal
from marketplaces.models import StockOperation
from marketplaces.services.cancelling import LONGEST_REASON, request_cancellations_of
from marketplaces.services.operation_results import MOST_OPERATIONS, OperationResult
from marketplaces.services.retrying import retry_operations
from marketplaces.tasks import hand_over_operations_by_id

# What the page that asks for the reason sends back: that it was asked, and which operations were meant.
CONFIRMED_FIELD, IDS_FIELD = "confirmed", "ids"


class BatchCancellationForm(ThemedForm):
    """Why the operations are cancelled."""

    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=LONGEST_REASON)


class OperationBatches(ModelAdmin):
    """The part of the operations' admin that acts on many of them."""

    actions: ClassVar[Sequence[str]] = ("cancel_selected", "retry_selected")

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("marketplaces.cancel_stockoperation")

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("marketplaces.retry_stockoperation")

    def response_action(self, request: HttpRequest, queryset: QuerySet[StockOperation]) -> HttpResponse | None:
        """Django's own, after a look at the ids: what is none would be an error of ours."""
        if all(as_uuid(pk) for pk in request.POST.getlist(ACTION_CHECKBOX_NAME)):
            return super().response_action(request, queryset)
        self.message_user(request, _("Some of the chosen operations do not exist. Choose them anew."), messages.ERROR)
        return None

    @admin.action(description=gettext_lazy("Cancel…"), permissions=["cancel"])
    def cancel_selected(self, request: HttpRequest, queryset: QuerySet[StockOperation]) -> HttpResponse | None:
        ids = chosen_ids(request, queryset)
        form = BatchCancellationForm(request.POST if CONFIRMED_FIELD in request.POST else None)
        if not form.is_valid():
            return self.ask_why(request, ids, form)
        try:
            results = request_cancellations_of(
                operation_ids=ids, reason=form.cleaned_data["reason"], user_id=request.user.pk
            )
        except Refusal as refusal:
            self.message_user(request, refusal.detail, messages.ERROR)
            return None
        done = [one.operation_id for one in results if one.refusal is None]
        hand_over_operations_by_id(done)
        sentence = ngettext(
            "%(number)d operation is being cancelled.", "%(number)d operations are being cancelled.", len(done)
        )
        return self.tell(request, results, sentence % {"number": len(done)} if done else "")

    @admin.action(description=gettext_lazy("Try again"), permissions=["retry"])
    def retry_selected(self, request: HttpRequest, queryset: QuerySet[StockOperation]) -> HttpResponse | None:
        try:
            results = retry_operations(operation_ids=chosen_ids(request, queryset), user_id=request.user.pk)
        except Refusal as refusal:
            self.message_user(request, refusal.detail, messages.ERROR)
            return None
        made = [one.successor_id for one in results if one.successor_id]
        hand_over_operations_by_id(made)
        sentence = ngettext("%(number)d operation is tried again.", "%(number)d operations are tried again.", len(made))
        return self.tell(request, results, sentence % {"number": len(made)} if made else "")

    def ask_why(self, request: HttpRequest, ids: Sequence[UUID], form: BatchCancellationForm) -> HttpResponse:
        title = ngettext("Cancel %(number)d operation", "Cancel %(number)d operations", len(ids))
        return self.batch_page(
            request,
            "marketplaces/batch_cancel.html",
            title=title % {"number": len(ids)},
            form=form,
            sent_back={
                "action": "cancel_selected",
                # Without one chosen row Django takes this for no action at all.
                ACTION_CHECKBOX_NAME: ids[0],
                CONFIRMED_FIELD: "1",
                IDS_FIELD: ",".join(str(pk) for pk in ids),
            },
        )

    def tell(self, request: HttpRequest, results: Sequence[OperationResult], done: str) -> HttpResponse | None:
        """Back to the list if all went well; else a page that says of each other operation why not."""
        if done:
            self.message_user(request, done, messages.SUCCESS)
        refused = {one.operation_id: one.refusal for one in results if one.refusal}
        if not refused:
            return None
        operations = StockOperation.objects.select_related("order").defer("order__payload").in_bulk(list(refused))
        outcomes = [(operations[pk], refusal.detail) for pk, refusal in refused.items() if pk in operations]
        return self.batch_page(
            request, "marketplaces/batch_result.html", title=_("Not all could be done"), outcomes=outcomes
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


def as_uuid(text: str) -> UUID | None:
    """The text as an operation's id, None if it can't be one."""
    try:
        return UUID(text)
    except ValueError:
        return None


def chosen_ids(request: HttpRequest, queryset: QuerySet[StockOperation]) -> list[UUID]:
    """The ids of the chosen operations; one more than a batch may take, so that the service refuses it."""
    if listed := request.POST.get(IDS_FIELD):
        return [pk for text in listed.split(",")[: MOST_OPERATIONS + 1] if (pk := as_uuid(text))]
    return list(queryset.order_by("pk").values_list("pk", flat=True)[: MOST_OPERATIONS + 1])
