"""Sales of another till, brought in from a file: the run, and what it still has to do."""

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from orders.models.order import OrderEvent


class SalesImport(models.Model):
    """A file of sales that was read, what it holds, and how far its orders have become orders of the shop.

    A file that came through the admin waits as `checked`, with its orders in `parts`, until somebody starts it; a
    task then takes one part after the other. The command line writes the orders while it reads: its imports have no
    parts, and one that was killed is `stopped`. The file itself is not kept.

    `done_count` of `order_count` orders have been dealt with, `imported_count` of them were new, the others were in
    the shop already. `known_count` are those that were there when the file was read.
    `errors` has the first wrong lines, [{"line", "detail"}], `wrong_count` says how many there are; every transaction
    of a wrong line is left out, `left_out_count` of them. `notices` are sentences to be read before it starts.
    """

    class Status(models.TextChoices):
        CHECKED = "checked", _("waits to be started")
        RUNNING = "running", _("running")
        FINISHED = "finished", _("finished")
        STOPPED = "stopped", _("stopped halfway")
        DISCARDED = "discarded", _("discarded")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    file_name = models.CharField(_("file"), max_length=200)
    sha256 = models.CharField("SHA-256", max_length=64)
    location = models.ForeignKey(
        "inventory.Location", on_delete=models.PROTECT, related_name="+", verbose_name=_("location")
    )
    till = models.CharField(_("till"), max_length=40, blank=True)
    date_format = models.CharField(_("dates are written"), max_length=10)
    encoding = models.CharField(_("encoding"), max_length=20)
    status = models.CharField(_("status"), max_length=9, choices=Status, default=Status.CHECKED)
    door = models.CharField(_("through"), max_length=7, choices=OrderEvent.Door)
    line_count = models.PositiveIntegerField(_("lines"), default=0)
    order_count = models.PositiveIntegerField(_("orders"), default=0)
    item_count = models.PositiveIntegerField(_("items"), default=0)
    none_count = models.PositiveIntegerField(_("lines without an item"), default=0)
    wrong_count = models.PositiveIntegerField(_("wrong lines"), default=0)
    left_out_count = models.PositiveIntegerField(_("transactions left out"), default=0)
    known_count = models.PositiveIntegerField(_("there before"), default=0)
    first_at = models.DateTimeField(_("first sale"), null=True)
    last_at = models.DateTimeField(_("last sale"), null=True)
    new_products = models.JSONField(_("new products"), default=list)
    errors = models.JSONField(_("errors"), default=list)
    notices = models.JSONField(_("notices"), default=list)
    done_count = models.PositiveIntegerField(_("done"), default=0)
    imported_count = models.PositiveIntegerField(_("imported"), default=0)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("by")
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    started_at = models.DateTimeField(_("started"), null=True)
    updated_at = models.DateTimeField(_("last progress"), default=timezone.now, editable=False)
    finished_at = models.DateTimeField(_("finished"), null=True)

    class Meta:
        verbose_name = _("import of sales")
        verbose_name_plural = _("imports of sales")
        ordering = ["-created_at"]
        permissions = [("import_sales", _("Can import sales from a file"))]

    def __str__(self) -> str:
        return self.file_name

    @property
    def already_there_count(self) -> int:
        """How many of the orders dealt with were in the shop already."""
        return self.done_count - self.imported_count


class SalesImportPart(models.Model):
    """Some thousand orders of an import that wait to be written: gone in the transaction that writes them.

    `orders` are those of `orders.sales_orders.as_json`.
    """

    sales_import = models.ForeignKey(SalesImport, on_delete=models.CASCADE, related_name="parts")
    position = models.PositiveIntegerField()
    orders = models.JSONField()

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["sales_import", "position"], name="sales_import_part_once"),
        ]

    def __str__(self) -> str:
        return f"{self.sales_import}: {self.position}"
