"""The admin of marketplaces. Each module registers its own."""

from marketplaces.admin import (  # noqa: F401  (imported for their effect: the admin site learns of them)
    accounts,
    listings,
    operations,
    orders,
    runs,
    stock,
)
