from inventory.admin import (  # noqa: F401  (imported for their effect: the admin site learns of them)
    categories,
    ingredients,
    ledger,
    levels,
    locations,
    options,
    products,
    stock_documents,
)
