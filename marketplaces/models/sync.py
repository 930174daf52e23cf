"""Runs of synchronisation, and where the next one goes on."""

import datetime

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from foundation.uuids import uuid7
from marketplaces.models.account import SellerAccount


class SyncRun(models.Model):
    """One run: what it looked at, and what came of it.

    The table is partitioned by month of `started_at`, and kept for 90 days: its physical key is (id, started_at), and
    no key of another table points to it.
    """

    class What(models.TextChoices):
        INVENTORY = "inventory", _("stock")
        ORDERS = "orders", _("orders")
        TRANSACTIONS = "transactions", _("quantities sent")

    class Source(models.TextChoices):
        ALLEGRO = "Allegro", "Allegro"
        OZON = "Ozon", "Ozon"
        WILDBERRIES = "Wildberries", "Wildberries"
        MANUAL = "Manual", _("by hand")

    class Status(models.TextChoices):
        RUNNING = "running", _("running")
        SUCCESS = "success", _("success")
        PARTIAL = "partial", _("partial")
        FAILED = "failed", _("failed")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    account = models.ForeignKey(
        SellerAccount, on_delete=models.CASCADE, db_index=False, related_name="sync_runs", verbose_name=_("account")
    )
    what = models.CharField(_("what"), max_length=12, choices=What)
    source = models.CharField(_("source"), max_length=11, choices=Source)
    status = models.CharField(_("status"), max_length=7, choices=Status, default=Status.RUNNING)
    processed = models.PositiveIntegerField(_("processed"), default=0)
    updated = models.PositiveIntegerField(_("updated"), default=0)
    skipped = models.PositiveIntegerField(_("skipped"), default=0)
    error = models.PositiveIntegerField(_("errors"), default=0)
    started_at = models.DateTimeField(_("started"), default=timezone.now)
    completed_at = models.DateTimeField(pgettext_lazy("sync run", "completed"), null=True, blank=True)
    # The moment from which everything is read again; none: where the last run ended.
    since = models.DateTimeField(_("since"), null=True, blank=True)
    # The rows that were left out and why, the first hundred of them: [{"item", "reason"}].
    problems = models.JSONField(_("left out"), default=list, blank=True)
    # Of a failed or partial run: what went wrong, as a family ("timeout", "database", "data", …) and a sentence.
    error_kind = models.CharField(_("kind of error"), max_length=30, blank=True)
    message = models.CharField(_("message"), max_length=500, blank=True)
    # How many items each endpoint gave, for the monitor: {"fbo": 120, …}.
    counts = models.JSONField(_("items by source"), default=dict, blank=True)
    retry_of = models.UUIDField(_("repeats"), null=True, blank=True)
    requested_by_id = models.BigIntegerField(null=True, blank=True)

    class Meta:
        verbose_name = _("sync run")
        verbose_name_plural = _("sync runs")
        ordering = ["-id"]
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["account", "-id"], name="sync_run_by_account"),
            models.Index(fields=["status", "-id"], name="sync_run_by_status"),
            models.Index(fields=["account", "what", "status", "-id"], name="sync_run_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.get_source_display()} {self.get_what_display()} {self.started_at:%Y-%m-%d %H:%M}"

    @property
    def duration(self) -> datetime.timedelta | None:
        return None if self.completed_at is None else self.completed_at - self.started_at


class SyncState(models.Model):
    """Where the synchronisation of an account's orders, stock or quantities stands: one at a time, and when next.

    `leased_until`: somebody is at it; when a worker was killed, another one goes on after that moment.
    """

    account = models.ForeignKey(SellerAccount, on_delete=models.CASCADE, related_name="sync_states")
    what = models.CharField(max_length=12, choices=SyncRun.What)
    run_id = models.UUIDField(null=True)
    leased_until = models.DateTimeField(null=True)
    next_due_at = models.DateTimeField(default=timezone.now)
    last_success_at = models.DateTimeField(null=True)
    # Failures in a row; and the patience that the marketplace was given, longer after a timeout (seconds).
    failures = models.PositiveIntegerField(default=0)
    read_timeout = models.FloatField(default=30.0)
    # Somebody, or the recovery from corrupted data, asked for everything to be read again from this moment.
    resync_since = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("state of synchronisation")
        verbose_name_plural = _("states of synchronisation")
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["account", "what"], name="sync_state_once")]

    def __str__(self) -> str:
        return f"{self.account}: {self.what}"


class SyncCursor(models.Model):
    """How far something of an account has been read: it moves in the transaction that stores what it covers."""

    account = models.ForeignKey(SellerAccount, on_delete=models.CASCADE, related_name="cursors")
    # "journal", "sweep", "fbs", "fbo", "next", … : each client names its own.
    name = models.CharField(max_length=40)
    value = models.JSONField()
    moved_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("cursor")
        verbose_name_plural = _("cursors")
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["account", "name"], name="sync_cursor_once")]

    def __str__(self) -> str:
        return f"{self.account}: {self.name}"


class ApiGate(models.Model):
    """The limit and the circuit breaker of one credential at one of a marketplace's limits, shared by all workers.

    `next_at` is the theoretical arrival time of the generic cell rate algorithm: the next call may be made then. In
    PostgreSQL, because it must hold for all machines and outlive the cache.
    """

    key = models.CharField(primary_key=True, max_length=120)
    next_at = models.DateTimeField(default=timezone.now)
    # Calls per second now; a 429 lowers it, quiet raises it again up to what the marketplace allows.
    rate = models.FloatField()
    blocked_until = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0)
    open_until = models.DateTimeField(null=True)
    # How many calls were let through in the hour that began then, and in a usual hour before it.
    hour = models.DateTimeField(null=True)
    calls = models.PositiveIntegerField(default=0)
    usual_calls = models.FloatField(null=True)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("limit of a marketplace")
        verbose_name_plural = _("limits of the marketplaces")
        default_permissions = ("view",)
        constraints = [models.CheckConstraint(condition=Q(rate__gt=0), name="api_gate_rate_positive")]

    def __str__(self) -> str:
        return self.key
