"""Orders that were deleted, and what did it."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class DeletedOrder(models.Model):
    """An order that is neither among the orders nor in the archive any more. A trigger of the database writes it down,
    whoever deletes; see docs/adr/0067-just-before-an-order-was-deleted.md.

    `transaction` is the number of the one that did it, on the server with the identity `server`: recovery can end just
    before that one. On another server the same number is another transaction's.
    """

    order_id = models.BigIntegerField(_("order"))
    number = models.BigIntegerField(_("number"), db_index=True)
    deleted_at = models.DateTimeField(_("deleted"))
    transaction = models.BigIntegerField(_("transaction"))
    server = models.CharField(_("server"), max_length=20)

    class Meta:
        verbose_name = _("deleted order")
        verbose_name_plural = _("deleted orders")
        ordering = ["-id"]
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.number)
