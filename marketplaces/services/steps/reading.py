"""Asking the marketplaces about the orders of some operations."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import TypeVar
from uuid import UUID

import structlog
from django.utils.translation import gettext as _

from marketplaces.clients.access import client_of
from marketplaces.clients.base import MarketplaceClient, RemoteOrder
from marketplaces.errors import BadAnswer, MarketplaceError, NotConnected, Refused, WritingStopped
from marketplaces.models import SellerAccount, StockOperation
from marketplaces.services.backoff import MORE_PATIENCE
from marketplaces.services.switch import pushes_are_stopped

logger = structlog.get_logger("marketplaces.operations")
Failure = MarketplaceError | NotConnected
T = TypeVar("T")


@dataclass(slots=True)
class Heard:
    """What was heard of orders in this round, by the id of their operation: the order (None: it is not there any
    more), or why nothing was heard."""

    orders: dict[UUID, RemoteOrder | None] = field(default_factory=dict)
    errors: dict[UUID, Failure] = field(default_factory=dict)

    def forget(self, operation_ids: Collection[UUID]) -> None:
        """What was heard of these is too old."""
        for pk in operation_ids:
            self.orders.pop(pk, None)
            self.errors.pop(pk, None)


def by_account(operations: Collection[StockOperation]) -> list[tuple[SellerAccount, list[StockOperation]]]:
    """The operations of each account, in the order of the accounts' ids."""
    groups: dict[UUID, list[StockOperation]] = {}
    for operation in operations:
        groups.setdefault(operation.account_id, []).append(operation)
    return [(groups[pk][0].account, groups[pk]) for pk in sorted(groups)]


def open_client(operations: Sequence[StockOperation]) -> MarketplaceClient:
    """The client of these operations' account; a patient one where an attempt has failed before. Raises NotConnected
    and what else the way to a client may raise."""
    patience = MORE_PATIENCE if any(operation.attempts for operation in operations) else None
    return client_of(operations[0].account, read_timeout=patience)


def read_orders(operations: Collection[StockOperation], heard: Heard) -> None:
    """Reads the orders of these operations from the marketplaces into `heard`. Never inside a transaction."""
    for _account, of_account in by_account(operations):
        read_some(of_account, heard)


def read_some(operations: Sequence[StockOperation], heard: Heard) -> None:
    """Reads orders of one account; one by one where an answer about all of them can't be used."""
    heard.forget([operation.pk for operation in operations])
    try:
        found = open_client(operations).orders([operation.order.external_id for operation in operations])
    except (MarketplaceError, NotConnected) as error:
        if len(operations) > 1 and isinstance(error, BadAnswer | Refused):
            for operation in operations:
                read_some([operation], heard)
        else:
            heard.errors |= {operation.pk: error for operation in operations}
        return
    except Exception as error:
        # A fault of ours in reading an answer: it must not take the other orders with it, nor stop the worker.
        logger.exception("order_could_not_be_read", account=str(operations[0].account_id))
        if len(operations) > 1:
            for operation in operations:
                read_some([operation], heard)
        else:
            heard.errors[operations[0].pk] = unexpected(error)
        return
    for operation in operations:
        heard.orders[operation.pk] = found.get(operation.order.external_id)


def check_may_write(account: SellerAccount) -> None:
    """To be asked right before each write: the switch acts at once, and so does what somebody has made of the account
    while its orders were read. Raises WritingStopped."""
    if pushes_are_stopped():
        raise WritingStopped(_("Writing to marketplaces is stopped."))
    now = SellerAccount.objects.only("is_active", "mode").get(pk=account.pk)
    if not now.is_active:
        raise WritingStopped(_("The account is switched off."))
    if not now.is_live:
        raise WritingStopped(_("The account is read only: nothing is written to the marketplace."))


def unexpected(error: Exception) -> MarketplaceError:
    """An exception that no client should raise, as one that it may."""
    return MarketplaceError(f"{type(error).__name__}: {error}")
