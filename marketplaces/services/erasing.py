"""A buyer is forgotten: who they are goes out of the mirrored orders, what was bought stays.

See orders/services/erasing.py, which this is a part of. What is personal of a payload says `buyers`.
"""

import datetime
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _

from foundation.errors import InvalidInput
from marketplaces.errors import UnknownMarketplaceOrder
from marketplaces.locks import lock_mirrored
from marketplaces.models import ErasedBuyer, MarketplaceOrder, MarketplaceOrderRevision
from marketplaces.services.buyers import without_buyer
from marketplaces.services.payloads import digest
from orders.services.actor import Actor
from orders.services.personal_data import Contacts, PersonalData

LONGEST_REASON = 300
# Orders whose payloads and versions are in memory at once.
PART = 100


def erase_buyer(*, order_id: UUID, reason: str, actor: Actor) -> MarketplaceOrder:
    """Takes the buyer's data off a mirrored order and all its versions. What the marketplace tells of the order later
    is kept without them too. Once more changes nothing.

    Raises UnknownMarketplaceOrder, and InvalidInput at `reason` for none and for one that holds the buyer's contacts.
    """
    reason = reason.strip()
    if not reason:
        raise InvalidInput.at("reason", _("Say why, for example: asked for it by letter. Do not name the person."))
    if len(reason) > LONGEST_REASON:
        raise InvalidInput.at("reason", _("Say it in %(limit)d characters.") % {"limit": LONGEST_REASON})
    with transaction.atomic():
        locked = lock_mirrored([order_id])
        if not locked:
            raise UnknownMarketplaceOrder(order_id)
        if any(contact in reason.lower() for contact in locked[0].buyer_contacts):
            raise InvalidInput.at("reason", _("The reason stays. Say it without the person's name and contacts."))
        forget_buyers([one for one in locked if one.erased_at is None], reason, actor.user_id, timezone.now())
    return locked[0]


@transaction.atomic
def erase_contacts(contacts: Contacts, reason: str, user_id: int | None, at: datetime.datetime) -> int:
    """Takes the buyer's data off every order that has one of these contacts, and says how many there were."""
    known_by = sorted(contacts.emails | contacts.phones)
    if not known_by:
        return 0
    found = MarketplaceOrder.objects.filter(buyer_contacts__overlap=known_by, erased_at=None)
    ids = list(found.order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(ids), PART):
        locked = lock_mirrored(ids[start : start + PART])
        forget_buyers([one for one in locked if one.erased_at is None], reason, user_id, at)
    return len(ids)


def forget_buyers(orders: Sequence[MarketplaceOrder], reason: str, user_id: int | None, at: datetime.datetime) -> None:
    """Empties these locked orders and their versions, and remembers that it was done."""
    versions = list(MarketplaceOrderRevision.objects.filter(order__in=orders).order_by("pk"))
    for version in versions:
        version.payload = without_buyer(version.payload)
    for order in orders:
        order.payload = without_buyer(order.payload)
        order.payload_digest, order.buyer_contacts, order.erased_at = digest(order.payload), [], at
    MarketplaceOrder.objects.bulk_update(orders, ["payload", "payload_digest", "buyer_contacts", "erased_at"])
    MarketplaceOrderRevision.objects.bulk_update(versions, ["payload"])
    ErasedBuyer.objects.bulk_create(
        [
            ErasedBuyer(
                account_id=order.account_id,
                external_id=order.external_id,
                reason=reason,
                erased_at=at,
                erased_by_id=user_id,
            )
            for order in orders
        ],
        ignore_conflicts=True,
    )


def repeat_erased_buyers() -> int:
    """Empties the orders that were emptied before a restore brought them back, and says how many there were."""
    erased = ErasedBuyer.objects.filter(account_id=OuterRef("account_id"), external_id=OuterRef("external_id"))
    back = MarketplaceOrder.objects.filter(Exists(erased), erased_at=None).order_by("pk")
    done = 0
    while ids := list(back.values_list("pk", flat=True)[:PART]):
        with transaction.atomic():
            forget_buyers(lock_mirrored(ids), "", None, timezone.now())
        done += len(ids)
    return done


def erased_buyers() -> list[Mapping[str, Any]]:
    """Whose data were erased, in what JSON can hold, and nothing of whom."""
    return [
        {
            "account": str(buyer.account_id),
            "order": buyer.external_id,
            "reason": buyer.reason,
            "erased_at": buyer.erased_at.isoformat(),
        }
        for buyer in ErasedBuyer.objects.order_by("pk")
    ]


def remember_erased_buyer(entry: Mapping[str, Any]) -> None:
    """Adds one of `erased_buyers` if this database does not know it. Raises KeyError, ValueError for what is none."""
    ErasedBuyer.objects.get_or_create(
        account_id=UUID(str(entry["account"])),
        external_id=str(entry["order"]),
        defaults={
            "reason": str(entry["reason"])[:LONGEST_REASON],
            "erased_at": datetime.datetime.fromisoformat(entry["erased_at"]),
        },
    )


BUYERS = PersonalData(
    name="marketplace_buyer",
    erase=erase_contacts,
    repeat=repeat_erased_buyers,
    erased=erased_buyers,
    remember=remember_erased_buyer,
)
