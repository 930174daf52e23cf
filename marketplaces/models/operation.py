"""What an order of a marketplace does to the stock, step by step."""

import datetime

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_fsm import FSMField, transition

from foundation.uuids import uuid7
from marketplaces.models.account import SellerAccount
from marketplaces.models.listing import Listing
from marketplaces.models.mirror import MarketplaceOrder


class StockOperationQuerySet(models.QuerySet["StockOperation"]):
    """What is asked of many operations at once."""

    def due(self, *, now: datetime.datetime) -> "StockOperationQuerySet":
        """What is to be gone on with now: unfinished ones, requested cancellations and cancelled parts whose time has
        come, and that no worker has."""
        return self.filter(
            Q(status__in=["pending", "processing", "stock_deducted"])
            | Q(cancellation_requested_at__isnull=False, status="completed")
            | Q(part_cancelled_at__isnull=False, status="completed"),
            Q(leased_until=None) | Q(leased_until__lte=now),
            next_attempt_at__lte=now,
        )


class StockOperation(models.Model):
    """Takes what was sold on a marketplace from the stock, and tells the marketplace; or puts it right again.

    Its status changes only through the transitions below; a transition changes only its own row's fields, and
    `marketplaces.services` lock, call it, and do the rest. Each step may die at any line and be run again: what is done
    stands in the moments `line_items_loaded_at`, `stock_deducted_at` and `microservice_synced_at`.

    `deduction_id` is the operation under whose id the ledger holds what was taken: its own, or, for the successor of a
    failed one (`retry_of`), that of the first. A correction (`kind` adjustment) names in `adjusts` what it puts right.
    `leased_until`: a worker is at it; it only spares double calls of the marketplace, correctness does not hang on it.
    """

    class Kind(models.TextChoices):
        SALE = "sale", _("sale")
        ADJUSTMENT = "adjustment", _("adjustment")

    class Status(models.TextChoices):
        PENDING = "pending", _("pending")
        PROCESSING = "processing", _("processing")
        STOCK_DEDUCTED = "stock_deducted", _("stock deducted")
        COMPLETED = "completed", pgettext_lazy("stock operation", "completed")
        CANCELLED = "cancelled", _("cancelled")
        FAILED = "failed", _("failed")

    UNFINISHED = (Status.PENDING, Status.PROCESSING, Status.STOCK_DEDUCTED)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    account = models.ForeignKey(
        SellerAccount, on_delete=models.PROTECT, db_index=False, related_name="operations", verbose_name=_("account")
    )
    account_name = models.CharField(_("account name"), max_length=100, blank=True)
    order = models.ForeignKey(
        MarketplaceOrder, on_delete=models.PROTECT, related_name="operations", verbose_name=_("order")
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.SALE)
    status = FSMField(_("status"), max_length=14, choices=Status, default=Status.PENDING, protected=True)
    line_items_loaded_at = models.DateTimeField(_("lines loaded"), null=True, blank=True)
    stock_deducted_at = models.DateTimeField(_("stock deducted"), null=True, blank=True)
    microservice_synced_at = models.DateTimeField(_("marketplace told"), null=True, blank=True)
    deduction_id = models.UUIDField(_("deduction"), null=True, blank=True)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(_("next attempt"), null=True, blank=True)
    last_error = models.CharField(_("last error"), max_length=500, blank=True)
    leased_until = models.DateTimeField(null=True, blank=True)
    cancellation_requested_at = models.DateTimeField(_("cancellation requested"), null=True, blank=True)
    cancelled_by_id = models.BigIntegerField(null=True, blank=True)
    cancellation_reason = models.CharField(_("cancellation reason"), max_length=300, blank=True)
    # The marketplace itself cancelled the order: there is nothing to roll back on its side.
    is_cancelled_there = models.BooleanField(_("cancelled on the marketplace"), default=False)
    marketplace_rolled_back_at = models.DateTimeField(_("marketplace rolled back"), null=True, blank=True)
    # Its final no: the cancellation has ended, the operation goes on.
    cancellation_refused_at = models.DateTimeField(_("cancellation refused"), null=True, blank=True)
    # Its order has fewer pieces than were deducted, since then: the others are to be given back.
    part_cancelled_at = models.DateTimeField(_("part cancelled"), null=True, blank=True)
    adjusts = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="rollback_operations",
        verbose_name=_("puts right"),
    )
    retry_of = models.OneToOneField(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="successor",
        verbose_name=_("tries again"),
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    objects = StockOperationQuerySet.as_manager()

    class Meta:
        verbose_name = _("stock operation")
        verbose_name_plural = _("stock operations")
        ordering = ["-id"]
        default_permissions = ("view",)
        permissions = [
            ("cancel_stockoperation", _("Can cancel stock operations")),
            ("retry_stockoperation", _("Can try failed stock operations again")),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["pending", "processing", "stock_deducted", "completed", "cancelled", "failed"]),
                name="operation_status",
            ),
            models.UniqueConstraint(
                fields=["order"],
                condition=Q(kind="sale", status__in=["pending", "processing", "stock_deducted"]),
                name="one_unfinished_sale_of_an_order",
            ),
            models.UniqueConstraint(
                fields=["order"], condition=Q(kind="sale", retry_of=None), name="one_first_sale_of_an_order"
            ),
            models.CheckConstraint(
                condition=Q(kind="adjustment", adjusts__isnull=False, retry_of=None) | Q(kind="sale", adjusts=None),
                name="only_an_adjustment_adjusts",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["stock_deducted", "completed"])
                | Q(stock_deducted_at__isnull=False, deduction_id__isnull=False),
                name="deducted_before_it_is_told",
            ),
            models.CheckConstraint(
                condition=~Q(status="completed") | Q(microservice_synced_at__isnull=False),
                name="told_before_it_is_completed",
            ),
        ]
        indexes = [
            models.Index(fields=["account", "-id"], name="operation_by_account"),
            models.Index(fields=["status", "-id"], name="operation_by_status"),
            # What is to be gone on with; few of many.
            models.Index(
                fields=["next_attempt_at"],
                name="operation_due",
                condition=Q(status__in=["pending", "processing", "stock_deducted"])
                | Q(cancellation_requested_at__isnull=False, status="completed")
                | Q(part_cancelled_at__isnull=False, status="completed"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {str(self.pk)[-12:]}"

    @property
    def is_unfinished(self) -> bool:
        return self.status in self.UNFINISHED

    @transition(field=status, source=Status.PENDING, target=Status.PROCESSING)
    def process(self) -> None:
        """Its lines are known."""

    @transition(field=status, source=Status.PROCESSING, target=Status.STOCK_DEDUCTED)
    def deduct(self) -> None:
        """The ledger holds it."""

    @transition(field=status, source=Status.STOCK_DEDUCTED, target=Status.COMPLETED)
    def complete(self) -> None:
        """The marketplace knows."""
        self.finished_at = timezone.now()

    @transition(
        field=status,
        source=[Status.PENDING, Status.PROCESSING, Status.STOCK_DEDUCTED, Status.COMPLETED],
        target=Status.CANCELLED,
    )
    def cancel(self) -> None:
        """Marketplace and stock are as if it had never been."""
        self.finished_at = timezone.now()

    @transition(field=status, source=list(UNFINISHED), target=Status.FAILED)
    def fail(self) -> None:
        """The attempts are used up. What was deducted stays deducted."""
        self.finished_at = timezone.now()


class StockOperationLine(models.Model):
    """So many pieces of a SKU, and which listing that is."""

    operation = models.ForeignKey(
        StockOperation, on_delete=models.CASCADE, related_name="lines", verbose_name=_("operation")
    )
    external_line_id = models.CharField(_("line on the marketplace"), max_length=100)
    sku = models.CharField(_("SKU"), max_length=100)
    name = models.CharField(_("name"), max_length=300, blank=True)
    quantity = models.PositiveIntegerField(_("quantity"))
    # Pieces that were cancelled after they were deducted; they have been given back.
    cancelled_quantity = models.PositiveIntegerField(_("cancelled quantity"), default=0)
    listing = models.ForeignKey(
        Listing, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("listing")
    )
    product = models.ForeignKey(
        "inventory.Product",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("product"),
    )
    # Pieces × portions in one piece, once the stock is deducted.
    portions = models.PositiveIntegerField(_("portions"), null=True, blank=True)

    class Meta:
        verbose_name = _("line of a stock operation")
        verbose_name_plural = _("lines of a stock operation")
        ordering = ["id"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["operation", "external_line_id"], name="operation_line_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="operation_line_quantity_positive"),
            models.CheckConstraint(
                condition=Q(cancelled_quantity__lte=models.F("quantity")), name="operation_line_cancelled_within"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.sku}"


class OperationLog(models.Model):
    """The standard log of an operation: a fixed vocabulary of actions. "Microservice" is the marketplace's side."""

    class Action(models.TextChoices):
        OPERATION_CREATED = "operation_created", _("operation created")
        ACCOUNT_NAME_UPDATED = "account_name_updated", _("account name updated")
        LINE_ITEMS_LOADING = "line_items_loading", _("loading the lines")
        LINE_ITEMS_LOADED = "line_items_loaded", _("lines loaded")
        LINE_ITEMS_LOAD_FAILED = "line_items_load_failed", _("lines could not be loaded")
        STOCK_VALIDATION_STARTED = "stock_validation_started", _("checking the stock")
        STOCK_VALIDATION_PASSED = "stock_validation_passed", _("stock suffices")
        STOCK_VALIDATION_FAILED = "stock_validation_failed", _("stock check failed")
        STOCK_DEDUCTION_STARTED = "stock_deduction_started", _("deducting the stock")
        STOCK_DEDUCTION_COMPLETED = "stock_deduction_completed", _("stock deducted")
        STOCK_DEDUCTION_FAILED = "stock_deduction_failed", _("stock could not be deducted")
        MICROSERVICE_SYNC_STARTED = "microservice_sync_started", _("telling the marketplace")
        MICROSERVICE_SYNC_SUCCESS = "microservice_sync_success", _("marketplace told")
        MICROSERVICE_SYNC_FAILED = "microservice_sync_failed", _("marketplace could not be told")
        STATUS_TRANSITION = "status_transition", _("status changed")
        CANCELLATION_REQUESTED = "cancellation_requested", _("cancellation requested")
        STOCK_ROLLBACK_STARTED = "stock_rollback_started", _("giving the stock back")
        STOCK_ROLLBACK_COMPLETED = "stock_rollback_completed", _("stock given back")
        MICROSERVICE_ROLLBACK_STARTED = "microservice_rollback_started", _("cancelling on the marketplace")
        MICROSERVICE_ROLLBACK_COMPLETED = "microservice_rollback_completed", _("cancelled on the marketplace")
        CANCELLATION_COMPLETED = "cancellation_completed", _("cancellation completed")
        RETRY_SCHEDULED = "retry_scheduled", _("next attempt scheduled")
        MAX_RETRIES_REACHED = "max_retries_reached", _("attempts used up")
        OPERATION_FAILED = "operation_failed", _("operation failed")

    operation = models.ForeignKey(
        StockOperation, on_delete=models.CASCADE, db_index=False, related_name="log", verbose_name=_("operation")
    )
    # The marketplace's own id of the order, so that a line says all by itself.
    order_id = models.CharField(_("order"), max_length=100)
    action = models.CharField(_("action"), max_length=31, choices=Action)
    from_status = models.CharField(_("from"), max_length=14, blank=True)
    to_status = models.CharField(_("to"), max_length=14, blank=True)
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    attempt = models.PositiveIntegerField(_("attempt"), default=0)
    execution_time_ms = models.PositiveIntegerField(_("took, ms"), null=True, blank=True)
    next_attempt_at = models.DateTimeField(_("next attempt"), null=True, blank=True)
    error_details = models.JSONField(_("error"), null=True, blank=True)
    context = models.JSONField(_("context"), default=dict, blank=True)
    created_at = models.DateTimeField(_("when"), default=timezone.now)

    class Meta:
        verbose_name = _("entry of the operation log")
        verbose_name_plural = _("operation log")
        ordering = ["id"]
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["operation", "id"], name="operation_log_by_operation"),
            models.Index(fields=["created_at"], name="operation_log_by_time"),
        ]

    def __str__(self) -> str:
        return self.action
