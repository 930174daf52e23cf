"""Taking a person's words out of the comments of the stock ledger. The ledger itself stays as it is."""

from collections.abc import Collection

from foundation.services.forgetting import forget_words
from inventory.models import StockMovement


def forget_in_ledger(*, document_type: str, document_ids: Collection[int], pattern: str) -> None:
    """Takes what the pattern finds out of the comments of what these documents moved."""
    rows = StockMovement.objects.filter(document_type=document_type, document_id__in=[str(pk) for pk in document_ids])
    forget_words(rows, ["comment"], pattern, trigger="inventory.StockMovement:ledger_is_append_only")
