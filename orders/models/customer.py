"""Who buys."""

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models.functions import Upper
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from orders.models.finding import CustomerQuerySet, Digits


class Customer(models.Model):
    """A person who buys, with the contacts that they gave. May have an account of their own.

    `phone` is in E.164 (+66812345678). `points` is the sum of their loyalty entries, see `orders.models.loyalty`.
    A duplicate that was merged points to the record that goes on; of an erased person nothing is left but the record.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="customer",
        verbose_name=_("account"),
    )
    name = models.CharField(pgettext_lazy("of a person", "name"), max_length=150)
    phone = models.CharField(_("phone"), max_length=30, blank=True, db_index=True)
    email = models.EmailField(_("e-mail"), blank=True, db_index=True)
    birthday = models.DateField(_("birthday"), null=True, blank=True)
    consent = models.BooleanField(_("agrees to messages"), default=False)
    notes = models.TextField(_("notes"), blank=True, max_length=2000)
    points = models.IntegerField(_("points"), default=0, editable=False)
    merged_into = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="merged_from",
        verbose_name=_("merged into"),
    )
    erased_at = models.DateTimeField(_("erased"), null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    objects = CustomerQuerySet.as_manager()

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        ordering = ["-id"]
        # What CustomerQuerySet.search compares, letter by letter: three letters in a row find their rows.
        indexes = [
            GinIndex(OpClass(Upper("name"), "gin_trgm_ops"), name="customer_by_part_of_name"),
            GinIndex(OpClass(Digits("phone"), "gin_trgm_ops"), name="customer_by_part_of_phone"),
            models.Index(Upper("email"), name="customer_by_email"),
        ]
        constraints = [
            models.CheckConstraint(condition=models.Q(points__gte=0), name="customer_points_not_negative"),
            models.CheckConstraint(
                condition=models.Q(merged_into=None) | ~models.Q(merged_into=models.F("pk")),
                name="customer_not_merged_into_itself",
            ),
        ]
        permissions = [
            ("merge_customer", _("Can merge duplicate customers")),
            ("export_customer", _("Can export all that is known of a customer")),
            ("erase_customer", _("Can erase a person's data")),
            ("adjust_points", _("Can adjust points up to the programme's limit")),
            ("adjust_points_unlimited", _("Can adjust points without a limit")),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_current(self) -> bool:
        """Whether the record goes on: it was neither merged into another one nor erased."""
        return self.merged_into_id is None and self.erased_at is None


class ErasedPerson(models.Model):
    """That a customer's data was erased, and nothing of that data: after a restore it is erased again by this row.

    No key points from here to the customer: the row has to outlive a restore of the shop to a day before them.
    """

    customer_id = models.BigIntegerField(_("customer"), primary_key=True)
    reason = models.CharField(_("reason"), max_length=300)
    erased_at = models.DateTimeField(_("erased"), default=timezone.now)
    erased_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("by")
    )

    class Meta:
        verbose_name = _("erased person")
        verbose_name_plural = _("erased persons")
        ordering = ["-erased_at"]
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.customer_id)
