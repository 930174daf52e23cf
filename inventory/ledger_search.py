"""How the ledger is searched: by the name of an ingredient, a part of a comment, or a document's number."""

from django.db.models import Q, QuerySet

from inventory.documents import document_kinds
from inventory.models import Ingredient, StockMovement

# More ingredients than these with one text in their names are asked about within the question itself.
FEW_INGREDIENTS = 500


def search_ledger(movements: QuerySet[StockMovement], text: str) -> QuerySet[StockMovement]:
    """Those of the movements that have something to do with the text.

    Which ingredients it names is asked first, once: with their ids, the type of the document and "a comment that is
    not empty" the database finds each of the three by an index, instead of reading millions of rows.
    """
    text = text.strip()
    named = Ingredient.objects.filter(name__icontains=text).order_by().values_list("pk", flat=True)
    ids = list(named[: FEW_INGREDIENTS + 1])
    found = (
        Q(ingredient__in=ids if len(ids) <= FEW_INGREDIENTS else named)
        | (~Q(comment="") & Q(comment__icontains=text))
        | Q(document_type__in=[kind.document_type for kind in document_kinds()], document_id=text)
    )
    return movements.filter(found)
