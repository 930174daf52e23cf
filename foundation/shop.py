"""The shop's own settings as everything reads them: without a query, and a few seconds old at most.

Each process remembers the row for MEMORY seconds. No cache is asked: one look at a table of one row every few seconds
costs less than a round trip to Redis at every request, and is right when there is no Redis.
See docs/adr/0035-the-shops-own-settings.md.
"""

from dataclasses import dataclass
from time import monotonic

from django.conf import settings
from django.db import DatabaseError

from foundation.currencies import decimals_of
from foundation.models import Shop

# Seconds after which a change shows in the other processes too; in the one that made it, it shows at once.
MEMORY = 3.0
UNNAMED = "Samovar"


@dataclass(frozen=True, slots=True)
class CurrentShop:
    """The shop's settings now; those of the environment while the shop has no row.

    `is_set_up`: it has one. `has_skipped_steps`: something of the first-run page was left out, or not come to.
    """

    name: str
    currency: str
    time_zone: str
    phone_region: str
    is_demo: bool = False
    is_set_up: bool = False
    has_skipped_steps: bool = False

    @property
    def currency_decimals(self) -> int:
        return decimals_of(self.currency)


@dataclass(frozen=True, slots=True)
class Memory:
    """The row as it was read, and until when that is good enough; None is a shop without a row."""

    shop: CurrentShop | None
    good_until: float


# Of an immutable object, so that threads may read and replace it as they like.
_memory: Memory | None = None


def current_shop() -> CurrentShop:
    """The shop's settings: its row's, or while there is none those of the environment."""
    global _memory
    known = _memory
    if known is None or known.good_until < monotonic():
        known = _memory = Memory(read(known), monotonic() + MEMORY)
    return known.shop or from_environment()


def read(known: Memory | None) -> CurrentShop | None:
    """The row. While the database can't be asked, what was known of it: an error page too says whose it is."""
    try:
        shop = Shop.objects.first()
    except DatabaseError:
        if known is None:
            raise
        return known.shop
    if shop is None:
        return None
    return CurrentShop(
        name=shop.name,
        currency=shop.currency,
        time_zone=shop.time_zone,
        phone_region=shop.phone_region,
        is_demo=shop.is_demo,
        is_set_up=True,
        has_skipped_steps=bool(shop.skipped_steps) or shop.set_up_at is None,
    )


def from_environment() -> CurrentShop:
    """What a new shop starts from."""
    return CurrentShop(
        name=UNNAMED,
        currency=settings.CURRENCY,
        time_zone=settings.TIME_ZONE,
        phone_region=settings.PHONE_REGION,
    )


def forget_shop() -> None:
    """Makes this process read the row again; called after a commit that changed it."""
    global _memory
    _memory = None


def remember_shop(shop: CurrentShop | None) -> None:
    """Makes this process take the shop for this one until `forget_shop`, without asking; for tests."""
    global _memory
    _memory = Memory(shop, float("inf"))
