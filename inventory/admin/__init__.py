from inventory.admin import (  # noqa: F401  (imported for their effect: the admin site learns of them)
    categories,
    counts,
    ingredients,
    ledger,
    levels,
    locations,
    options,
    products,
    shelves,
    stock_documents,
)
