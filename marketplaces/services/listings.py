"""Matching what stands on a marketplace with what the shop sells."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from foundation.errors import InvalidInput
from inventory.models import Product
from marketplaces.errors import UnknownListing
from marketplaces.locks import lock_account, lock_listings, lock_operations
from marketplaces.models import Listing, MarketplaceStock, StockOperation

MOST_AT_ONCE = 500
LARGEST_NUMBER = 1_000_000
# The widths of the columns.
LONGEST = {"sku": 100, "name": 300, "barcode": 60}
# What of a listing may be changed. Another SKU or account is another listing.
CHANGEABLE = ("product_id", "quantity", "buffer", "name", "barcode", "is_active")
# What a change of it makes the quantity on the marketplace wrong by.
COUNTS = {"product_id", "quantity", "buffer", "is_active"}


@dataclass(frozen=True, slots=True)
class Match:
    """One piece of `sku` is `quantity` portions of the product; `buffer` pieces are never offered."""

    sku: str
    product_id: int
    quantity: int = 1
    buffer: int = 0
    name: str = ""
    barcode: str = ""
    is_active: bool = True


def add_listing(*, account_id: UUID, match: Match) -> Listing:
    """Matches one SKU of an account. Raises UnknownAccount, and InvalidInput at the fields of the match."""
    try:
        return match_many(account_id=account_id, matches=[match])[0]
    except InvalidInput as refusal:
        errors = {field.removeprefix("matches[0]."): sentences for field, sentences in refusal.errors.items()}
        raise InvalidInput(" ".join(line for lines in errors.values() for line in lines), errors=errors) from refusal


@transaction.atomic
def match_many(*, account_id: UUID, matches: Sequence[Match]) -> list[Listing]:
    """Matches several SKUs of an account, all of them or none.

    The marketplace's stock of these SKUs counts as the products' from now on, orders that waited for the match go on,
    and their quantities are sent with the next run.
    Raises UnknownAccount, and InvalidInput at "matches[3].sku" and the like.
    """
    lock_account(account_id)
    matches = [tidied(match) for match in matches]
    refuse_wrong(matches, taken=taken_skus(account_id, [match.sku for match in matches]))
    operations = wait_for(account_id, [match.sku for match in matches])
    listings = Listing.objects.bulk_create(
        Listing(
            account_id=account_id,
            sku=match.sku,
            product_id=match.product_id,
            quantity=match.quantity,
            buffer=match.buffer,
            name=match.name,
            barcode=match.barcode,
            is_active=match.is_active,
            push_wanted_at=timezone.now() if match.is_active else None,
        )
        for match in matches
    )
    for product_id in {match.product_id for match in matches}:
        stock_follows(account_id, [match.sku for match in matches if match.product_id == product_id], product_id)
    StockOperation.objects.filter(pk__in=operations).update(next_attempt_at=timezone.now())
    return listings


@transaction.atomic
def change_listing(*, listing_id: int, changes: Mapping[str, Any]) -> Listing:
    """Changes these fields of a listing, by name: see CHANGEABLE. What was refused before is tried again at once.

    Raises UnknownListing, and InvalidInput at the fields.
    """
    unknown = set(changes) - set(CHANGEABLE)
    if unknown:
        raise InvalidInput(
            _("This can't be changed. Make a new listing instead."),
            errors={name: [_("This can't be changed. Make a new listing instead.")] for name in sorted(unknown)},
        )
    listing = locked(listing_id)
    for name, value in changes.items():
        setattr(listing, name, value.strip() if isinstance(value, str) else value)
    refuse_at_fields(faults_of(match_of(listing), products=known_products([listing.product_id])))
    saved = list(changes)
    if COUNTS & set(changes):
        listing.push_wanted_at = timezone.now() if listing.is_active else None
        listing.push_not_before, listing.push_attempts, listing.push_error = None, 0, ""
        saved += ["push_wanted_at", "push_not_before", "push_attempts", "push_error"]
    listing.save(update_fields=saved)
    if "product_id" in changes:
        stock_follows(listing.account_id, [listing.sku], listing.product_id)
    return listing


@transaction.atomic
def delete_listing(*, listing_id: int) -> Listing:
    """Takes a match back: the SKU is unmatched again, and what the marketplace shows is left as it is. Returns the
    listing as it was. Raises UnknownListing."""
    listing = locked(listing_id)
    stock_follows(listing.account_id, [listing.sku], None)
    Listing.objects.filter(pk=listing.pk).delete()
    return listing


def locked(listing_id: int) -> Listing:
    account_id = Listing.objects.filter(pk=listing_id).values_list("account_id", flat=True).first()
    if account_id is None:
        raise UnknownListing(listing_id)
    lock_account(account_id)
    found = lock_listings([listing_id])
    if not found:
        raise UnknownListing(listing_id)
    return found[0]


def match_of(listing: Listing) -> Match:
    return Match(
        listing.sku,
        listing.product_id,
        listing.quantity,
        listing.buffer,
        listing.name,
        listing.barcode,
        listing.is_active,
    )


def tidied(match: Match) -> Match:
    return Match(
        match.sku.strip(),
        match.product_id,
        match.quantity,
        match.buffer,
        match.name.strip(),
        match.barcode.strip(),
        match.is_active,
    )


def refuse_wrong(matches: Sequence[Match], *, taken: set[str]) -> None:
    """Raises InvalidInput at each place of the list that makes no sense."""
    if not matches:
        raise InvalidInput.at("matches", _("Choose a product for at least one SKU."))
    if len(matches) > MOST_AT_ONCE:
        raise InvalidInput.at("matches", _("Match up to %(most)d SKUs at once.") % {"most": MOST_AT_ONCE})
    products = known_products([match.product_id for match in matches])
    errors: dict[str, list[str]] = {}
    seen: set[str] = set()
    for place, match in enumerate(matches):
        faults = faults_of(match, products=products)
        if match.sku in taken:
            faults["sku"] = _("This SKU is matched to a product already.")
        elif match.sku in seen:
            faults["sku"] = _("This SKU stands in the list already. Name it once.")
        seen.add(match.sku)
        errors |= {f"matches[{place}].{field}": [sentence] for field, sentence in faults.items()}
    if errors:
        raise InvalidInput(next(iter(errors.values()))[0], errors=errors)


def faults_of(match: Match, *, products: set[int]) -> dict[str, str]:
    """What is wrong with a match: {field: sentence}."""
    faults: dict[str, str] = {}
    if not match.sku:
        faults["sku"] = _("Give the SKU as the marketplace writes it.")
    for name, text in (("sku", match.sku), ("name", match.name), ("barcode", match.barcode)):
        most = LONGEST[name]
        if len(text) > most:
            faults[name] = _("This is too long: it has at most %(most)d characters.") % {"most": most}
        elif "\0" in text:
            faults[name] = _("A text must not contain the character NUL.")
    if match.product_id not in products:
        faults["product"] = _("There is no product %(id)s.") % {"id": match.product_id}
    if not 1 <= match.quantity <= LARGEST_NUMBER:
        faults["quantity"] = _("One piece is at least 1 portion and at most %(most)d.") % {"most": LARGEST_NUMBER}
    if not 0 <= match.buffer <= LARGEST_NUMBER:
        faults["buffer"] = _("Keep back 0 pieces or more, at most %(most)d.") % {"most": LARGEST_NUMBER}
    return faults


def refuse_at_fields(faults: Mapping[str, str]) -> None:
    if faults:
        raise InvalidInput(" ".join(faults.values()), errors={field: [line] for field, line in faults.items()})


def known_products(product_ids: Sequence[int]) -> set[int]:
    return set(Product.objects.filter(pk__in=product_ids).values_list("pk", flat=True))


def taken_skus(account_id: UUID, skus: Sequence[str]) -> set[str]:
    # What PostgreSQL's texts can't hold is no SKU that anything has.
    known = [sku for sku in skus if "\0" not in sku]
    return set(Listing.objects.filter(account_id=account_id, sku__in=known).values_list("sku", flat=True))


def wait_for(account_id: UUID, skus: Sequence[str]) -> list[UUID]:
    """Locks the unfinished operations of the account that could not go on because one of these SKUs was not matched."""
    waiting = StockOperation.objects.filter(
        account_id=account_id,
        kind=StockOperation.Kind.SALE,
        status__in=[StockOperation.Status.PENDING, StockOperation.Status.PROCESSING],
        attempts__gt=0,
        order__lines__sku__in=skus,
    )
    ids = set(waiting.values_list("pk", flat=True))
    return [operation.pk for operation in lock_operations(ids) if operation.is_unfinished] if ids else []


def stock_follows(account_id: UUID, skus: Sequence[str], product_id: int | None) -> None:
    """What the marketplace says is in stock of these SKUs is stock of this product."""
    MarketplaceStock.objects.filter(account_id=account_id, sku__in=skus).update(product_id=product_id)
