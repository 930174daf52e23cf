"""Stock operations in the admin: the list, and the page of each with the timeline of its log."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter, RelatedDropdownFilter
from unfold.decorators import display

from foundation.admin.model_admin import NUL, ShopModelAdmin, WrittenOutAdmin
from foundation.admin.verbs import Verb, VerbButtons, VerbForm
from inventory.admin.shown import badge, when_shown
from marketplaces.admin.operation_batches import OperationBatches
from marketplaces.admin.shown import NOTHING
from marketplaces.models import OperationLog, StockOperation
from marketplaces.services.cancelling import CANCELLABLE, LONGEST_REASON, request_cancellation
from marketplaces.services.retrying import retry_operation
from marketplaces.tasks import hand_over_operations
from users.models import User

Action, Kind, Status = OperationLog.Action, StockOperation.Kind, StockOperation.Status
STATUS_KINDS = {
    Status.PENDING: "off",
    Status.PROCESSING: "info",
    Status.STOCK_DEDUCTED: "info",
    Status.COMPLETED: "good",
    Status.CANCELLED: "warn",
    Status.FAILED: "bad",
}
# The newest entries of a log that is very long; the API has them all.
SHOWN_ENTRIES = 300
BAD_ACTIONS = {
    Action.LINE_ITEMS_LOAD_FAILED,
    Action.STOCK_VALIDATION_FAILED,
    Action.STOCK_DEDUCTION_FAILED,
    Action.MICROSERVICE_SYNC_FAILED,
    Action.MAX_RETRIES_REACHED,
    Action.OPERATION_FAILED,
}
WAITING_ACTIONS = {Action.RETRY_SCHEDULED, Action.CANCELLATION_REQUESTED}
GOOD_ACTIONS = {
    Action.STOCK_DEDUCTION_COMPLETED,
    Action.MICROSERVICE_SYNC_SUCCESS,
    Action.STOCK_ROLLBACK_COMPLETED,
    Action.MICROSERVICE_ROLLBACK_COMPLETED,
    Action.CANCELLATION_COMPLETED,
}


class CancellationForm(VerbForm):
    reason = forms.CharField(label=_("Reason"), max_length=LONGEST_REASON)


def cancel(request: HttpRequest, operation: StockOperation, data: dict[str, Any]) -> None:
    hand_over_operations(
        [request_cancellation(operation_id=operation.pk, reason=data["reason"], user_id=request.user.pk)]
    )


def retry(request: HttpRequest, operation: StockOperation, data: dict[str, Any]) -> None:
    hand_over_operations([retry_operation(operation_id=operation.pk, user_id=request.user.pk)])


def is_cancellable(operation: StockOperation) -> bool:
    return (
        operation.kind == Kind.SALE and operation.status in CANCELLABLE and operation.cancellation_requested_at is None
    )


VERBS = (
    Verb(
        name="cancel",
        label=_("Cancel the operation"),
        icon="undo",
        permission="marketplaces.cancel_stockoperation",
        run=cancel,
        done=_("It is being cancelled: the marketplace first, then the stock."),
        form=CancellationForm,
        warning=_("The order is cancelled on the marketplace, if this account writes there, and its stock comes back."),
        is_shown=is_cancellable,
        variant="danger",
    ),
    Verb(
        name="retry",
        label=_("Try again"),
        icon="refresh",
        permission="marketplaces.retry_stockoperation",
        run=retry,
        done=_("It is tried again. What was deducted is not deducted twice."),
        is_shown=lambda operation: (
            operation.status == Status.FAILED
            and operation.kind == Kind.SALE
            and getattr(operation, "successor", None) is None
        ),
        variant="primary",
    ),
)


class EndingFilter(DropdownFilter):
    """What somebody, or the marketplace, has asked to end and has not ended yet."""

    title = _("cancellation")
    parameter_name = "ending"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("running", _("on its way")), ("refused", _("refused by the marketplace"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[StockOperation]) -> QuerySet[StockOperation]:
        if self.value() == "running":
            return queryset.filter(cancellation_requested_at__isnull=False, status__in=CANCELLABLE)
        return queryset.filter(cancellation_refused_at__isnull=False) if self.value() == "refused" else queryset


@admin.register(StockOperation)
class StockOperationAdmin(OperationBatches, VerbButtons, WrittenOutAdmin, ShopModelAdmin):
    """What the orders of the marketplaces do to the stock, the newest first. Nobody changes one: it is cancelled, or
    tried again."""

    verbs = VERBS
    list_display = ("label", "account_shown", "status_shown", "kind_shown", "attempts", "next_attempt", "created")
    list_display_links = ("label",)
    list_filter = (
        ("account", RelatedDropdownFilter),
        ("status", ChoicesDropdownFilter),
        ("kind", ChoicesDropdownFilter),
        EndingFilter,
    )
    list_select_related = ("account", "account__location", "order")
    # Looked for by the beginning, which an index finds; see `get_search_results`.
    search_fields = ("order__number",)
    search_help_text = _("The beginning of an order's number")
    ordering = ("-id",)
    sortable_by = ()
    list_per_page = 50
    list_max_show_all = 200
    fieldsets = ()
    # It says when writing is stopped: then operations wait here.
    list_before_template = "marketplaces/account_list.html"
    change_form_outer_before_template = "marketplaces/operation.html"

    class Media:
        css: ClassVar = {"all": ["samovar/marketplaces.css"]}

    # --- the list -------------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[StockOperation]:
        rows = super().get_queryset(request).select_related("account__location", "order", "successor")
        return rows.defer("account__credentials", "account__tokens", "order__payload")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.replace(NUL, "").strip()
        if not term:
            return queryset, False
        return queryset.filter(Q(order__number__startswith=term) | Q(order__external_id__startswith=term)), False

    @display(description=_("order"))
    def label(self, operation: StockOperation) -> SafeString:
        return format_html('<span class="mp-id">{}</span>', operation.order)

    @display(description=_("account"))
    def account_shown(self, operation: StockOperation) -> str:
        return str(operation.account)

    @display(description=_("status"))
    def status_shown(self, operation: StockOperation) -> SafeString:
        return status_badge(operation)

    @display(description=_("kind"))
    def kind_shown(self, operation: StockOperation) -> str:
        return str(operation.get_kind_display())

    @display(description=_("next attempt"))
    def next_attempt(self, operation: StockOperation) -> SafeString | str:
        if operation.next_attempt_at is None:
            return NOTHING
        return when_shown(operation.next_attempt_at, operation.account.location)

    @display(description=_("created"))
    def created(self, operation: StockOperation) -> SafeString:
        return when_shown(operation.created_at, operation.account.location)

    # --- one operation --------------------------------------------------------------------------------

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        operation: StockOperation | None = kwargs.get("obj")
        if operation is not None:
            context |= written_out(operation, with_log=request.user.has_perm("marketplaces.view_operationlog"))
        return super().render_change_form(request, context, **kwargs)


def status_badge(operation: StockOperation) -> SafeString:
    """The status, and whether it is being cancelled."""
    shown = badge(STATUS_KINDS[Status(operation.status)], operation.get_status_display())
    if operation.cancellation_requested_at is not None and operation.status in CANCELLABLE:
        return format_html("{} {}", shown, badge("warn", _gettext("being cancelled")))
    return shown


def written_out(operation: StockOperation, *, with_log: bool) -> Mapping[str, Any]:
    """All that the operation's page says."""
    newest = list(operation.log.order_by("-id")[: SHOWN_ENTRIES + 1]) if with_log else []
    entries = newest[:SHOWN_ENTRIES][::-1]
    people = User.objects.in_bulk({pk for pk in [operation.cancelled_by_id, *askers(entries)] if pk})
    return {
        "operation": operation,
        "zone": operation.account.location.time_zone,
        "status": status_badge(operation),
        "lines": list(operation.lines.select_related("product").order_by("pk")),
        "cancelled_by": people.get(operation.cancelled_by_id or 0),
        "adjusts": operation.adjusts,
        "retry_of": operation.retry_of,
        "successor": getattr(operation, "successor", None),
        "corrections": list(operation.rollback_operations.order_by("pk")),
        "entries": [entry_row(entry, people) for entry in entries],
        "is_cut": len(newest) > SHOWN_ENTRIES,
    }


def askers(entries: Iterable[OperationLog]) -> list[int]:
    """The people that the entries name."""
    return [entry.context["by"] for entry in entries if isinstance(entry.context.get("by"), int)]


def entry_row(entry: OperationLog, people: Mapping[int, User]) -> dict[str, Any]:
    """An entry as the timeline shows it: what happened, who did it, and the rest folded."""
    by = entry.context.get("by")
    details = {
        **({"error": entry.error_details} if entry.error_details else {}),
        **{name: value for name, value in entry.context.items() if name != "by"},
    }
    labels: dict[str, Any] = dict(Status.choices)
    return {
        "entry": entry,
        "dot": dot_of(entry.action),
        "moved": [labels.get(entry.from_status, ""), labels.get(entry.to_status, "")]
        if entry.action == Action.STATUS_TRANSITION
        else [],
        "by": people.get(by) if isinstance(by, int) else None,
        "details": json.dumps(details, indent=2, ensure_ascii=False) if details else "",
    }


def dot_of(action: str) -> str:
    """The colour of an entry's dot."""
    kinds: Sequence[tuple[Collection[str], str]] = (
        (BAD_ACTIONS, "bad"),
        (WAITING_ACTIONS, "warn"),
        (GOOD_ACTIONS, "good"),
    )
    return next((kind for actions, kind in kinds if action in actions), "info" if action == "status_transition" else "")
