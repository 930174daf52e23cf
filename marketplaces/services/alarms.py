"""What stock operations raise alerts about, and what those say."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from marketplaces.models import StockOperation
from monitoring.selectors import open_alerts
from monitoring.services.alerts import AlertText, resolve

OPERATION_FAILED = "marketplaces.operation_failed"
STOCK_SHORT = "marketplaces.stock_short"
CANCELLATION_REFUSED = "marketplaces.cancellation_refused"
DATABASE_ERRORS = "marketplaces.database_errors"


def failed(operation: StockOperation, *, reason: str) -> AlertText:
    """The attempts of an operation are used up, or it can't succeed."""
    details = {**details_of(operation, reason=reason), "deducted": operation.stock_deducted_at is not None}
    return AlertText(str(operation.pk), failed_sentence(details), details)


def failed_sentence(details: Mapping[str, Any]) -> str:
    """What such an alert says, in the reader's language; KeyError if the details do not tell."""
    if details["deducted"]:
        return _("Order %(order)s of %(account)s has failed, its stock stays deducted: %(reason)s") % details
    return _("Order %(order)s of %(account)s has failed, nothing was deducted: %(reason)s") % details


def short(operation: StockOperation, *, reason: str) -> AlertText:
    """The stock does not suffice for an order, or it is not known what to take."""
    details = details_of(operation, reason=reason)
    return AlertText(str(operation.pk), short_sentence(details), details)


def short_sentence(details: Mapping[str, Any]) -> str:
    """What such an alert says, in the reader's language; KeyError if the details do not tell."""
    return _("Order %(order)s of %(account)s waits: %(reason)s") % details


def close_shortages() -> int:
    """Closes the alerts of orders that wait for stock no longer: it was deducted, or they have ended. Returns how
    many."""
    told = list(open_alerts().filter(event=STOCK_SHORT).values_list("subject", flat=True))
    waiting = StockOperation.objects.filter(
        pk__in=[UUID(subject) for subject in told],
        status=StockOperation.Status.PROCESSING,
        attempts__gt=0,
        cancellation_requested_at=None,
    )
    still = {str(pk) for pk in waiting.values_list("pk", flat=True)} if told else set()
    return resolve(event=STOCK_SHORT, subjects=sorted(set(told) - still))


def refused(operation: StockOperation, *, reason: str) -> AlertText:
    """The marketplace does not let an order be cancelled."""
    details = details_of(operation, reason=reason)
    return AlertText(str(operation.pk), refused_sentence(details), details)


def refused_sentence(details: Mapping[str, Any]) -> str:
    """What such an alert says, in the reader's language; KeyError if the details do not tell."""
    return _("Order %(order)s of %(account)s could not be cancelled: %(reason)s") % details


def database(operation: StockOperation, *, reason: str) -> AlertText:
    """The database refused the same operation twice in a row."""
    details = details_of(operation, reason=reason)
    return AlertText("operations", database_sentence(details), details)


def database_sentence(details: Mapping[str, Any]) -> str:
    """What such an alert says, in the reader's language; KeyError if the details do not tell."""
    return _("The database fails again and again, last for order %(order)s of %(account)s: %(reason)s") % details


def details_of(operation: StockOperation, *, reason: str) -> dict[str, Any]:
    return {
        "operation": str(operation.pk),
        "order": str(operation.order),
        "account": operation.account_name,
        "reason": reason,
    }
