"""What became of each operation of a batch."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from foundation.errors import Refusal
from marketplaces.errors import WrongOperations
from marketplaces.models import SellerAccount

MOST_OPERATIONS = 1000


@dataclass(frozen=True, slots=True)
class OperationResult:
    """`refusal` says why nothing was done; `successor_id` names the operation that tries it again."""

    operation_id: UUID
    refusal: Refusal | None = None
    successor_id: UUID | None = None

    def as_json(self) -> dict[str, Any]:
        if self.refusal is not None:
            error = {"type": self.refusal.code, "detail": self.refusal.detail}
            return {"id": str(self.operation_id), "ok": False, "error": error}
        done: dict[str, Any] = {"id": str(self.operation_id), "ok": True}
        return done | ({"successor": str(self.successor_id)} if self.successor_id else {})


def check_operations(operation_ids: Sequence[UUID]) -> None:
    """Raises WrongOperations for a batch without operations, or with too many."""
    if not operation_ids:
        raise WrongOperations.at("ids", _("Choose at least one operation."))
    if len(operation_ids) > MOST_OPERATIONS:
        raise WrongOperations.at(
            "ids", _("At most %(most)d operations at once. Split the list.") % {"most": MOST_OPERATIONS}
        )


def of_accounts(accounts: QuerySet[SellerAccount] | None) -> dict[str, Any]:
    """The condition that narrows operations to these accounts; None: all of them."""
    return {} if accounts is None else {"account__in": accounts}
