"""Writing promo codes: one by one, and many at once."""

import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from foundation.errors import InUse
from foundation.locks import lock_record
from foundation.services.records import delete_record
from orders.locks import lock_promo_codes
from orders.models import PromoCode, PromoRedemption
from orders.services.offers import (
    Named,
    check_offer,
    coin_fault,
    named_records,
    unnamed_columns,
    value_fault,
    write_named,
)

NAMED = ("products", "categories")
LONGEST_CODE = 40
LONGEST_PREFIX = 20
MOST_AT_ONCE = 1000
# Without what is read or heard as something else: 0 and O, 1 and I and L, U and V.
CLEAR_SIGNS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
RANDOM_SIGNS = 8
SIGNS = frozenset("0123456789-_")


@transaction.atomic
def save_promo_code(*, fields: Mapping[str, Any], promo_code_id: int | None = None) -> PromoCode:
    """Makes a code, or changes the named `fields` of one; `products` and `categories` are lists of ids, and those that
    are given replace what was named before.

    A code is kept in capitals. One that an order carries keeps its word, and its limit does not fall below the number
    of orders that carry it. Raises Missing, InvalidInput at the fields.
    """
    # Sales of the same code wait: its limits are compared with its uses.
    code = PromoCode() if promo_code_id is None else lock_record(PromoCode, promo_code_id)
    before = code.code
    for name, value in unnamed_columns(fields, NAMED).items():
        setattr(code, name, value)
    code.code = in_capitals(code.code or "")
    named, faults = named_records(fields, NAMED)
    faults |= faults_of(code)
    if code.pk and code.code != before and is_used(code):
        faults["code"] = _("Orders carry the code %(code)s: it keeps its word. Make another code.") % {"code": before}
    elif "code" not in faults and PromoCode.objects.filter(code=code.code).exclude(pk=code.pk).exists():
        faults["code"] = _("There is a code %(code)s already.") % {"code": code.code}
    check_offer(code, faults)
    code.save()
    write_named(code, named)
    return code


@transaction.atomic
def delete_promo_code(*, promo_code_id: int) -> PromoCode:
    """Deletes a code that no order has ever carried. Raises Missing, InUse."""
    code = lock_record(PromoCode, promo_code_id)
    if is_used(code):
        raise InUse(_("Orders have carried the code %(code)s: it can't be deleted. Switch it off.") % {"code": code})
    return delete_record(model=PromoCode, record_id=promo_code_id)


@transaction.atomic
def switch_promo_codes(*, ids: Collection[int], is_active: bool) -> int:
    """Switches codes on or off, and returns how many there are of them."""
    return PromoCode.objects.filter(pk__in=lock_promo_codes(ids)).update(is_active=is_active)


@transaction.atomic
def generate_promo_codes(*, prefix: str, number: int, fields: Mapping[str, Any]) -> list[PromoCode]:
    """Makes `number` codes that nobody can guess, all with these `fields`: SPRING-7KQ2M9XA.

    They are made at the same moment (`created_at`), which tells them from all others.
    Raises InvalidInput at "prefix", "number" and the fields.
    """
    start = in_capitals(prefix)
    faults = {}
    if not 1 <= number <= MOST_AT_ONCE:
        faults["number"] = _("Make from 1 to %(most)d codes at once.") % {"most": MOST_AT_ONCE}
    if len(start) > LONGEST_PREFIX:
        faults["prefix"] = _("Begin with at most %(most)d signs.") % {"most": LONGEST_PREFIX}
    elif start and (sentence := spelling_fault(start)):
        faults["prefix"] = sentence
    named, unknown = named_records(fields, NAMED)
    columns = unnamed_columns(fields, NAMED)
    now = timezone.now()
    pattern = PromoCode(**columns, code="X", created_at=now, covers_menu=not any(named.values()))
    check_offer(pattern, {**faults, **unknown, **faults_of(pattern)})
    words = new_words(f"{start}-" if start and start[-1] not in "-_" else start, number)
    made = PromoCode.objects.bulk_create(
        PromoCode(**columns, code=word, created_at=now, covers_menu=pattern.covers_menu) for word in words
    )
    name_all(made, named)
    return made


def new_words(start: str, number: int) -> list[str]:
    """So many different random words that no code is yet."""
    words: set[str] = set()
    while len(words) < number:
        more = {start + random_word() for _ in range(number - len(words))}
        words |= more - set(PromoCode.objects.filter(code__in=more).values_list("code", flat=True))
    return sorted(words)


def random_word() -> str:
    return "".join(secrets.choice(CLEAR_SIGNS) for _ in range(RANDOM_SIGNS))


def name_all(codes: Sequence[PromoCode], named: Named) -> None:
    """Makes all these codes name the same products and categories."""
    product, category = PromoCode.products.through, PromoCode.categories.through
    product._default_manager.bulk_create(
        product(promocode_id=code.pk, product_id=pk) for code in codes for pk in named.get("products", ())
    )
    category._default_manager.bulk_create(
        category(promocode_id=code.pk, category_id=pk) for code in codes for pk in named.get("categories", ())
    )


def in_capitals(word: str) -> str:
    """A code as it is kept, however somebody types it."""
    return word.strip().upper()


def spelling_fault(word: str) -> str:
    """Why the word, in capitals, can't be a code, as a sentence; empty if it can."""
    if not word:
        return _("Write a code, such as WELCOME10.")
    if len(word) > LONGEST_CODE:
        return _("A code has at most %(most)d signs.") % {"most": LONGEST_CODE}
    if not all(sign.isalpha() or sign in SIGNS for sign in word):
        return _("A code is made of letters, digits, - and _, without spaces.")
    return ""


def faults_of(code: PromoCode) -> dict[str, str]:
    """What is wrong with the code's own columns: {field: sentence}."""
    faults = dict(written_faults(code))
    limits = {"usage_limit": code.usage_limit, "per_customer_limit": code.per_customer_limit}
    for name, limit in limits.items():
        if limit is not None and limit < 1:
            faults[name] = _("Give a number above 0, or nothing for no limit.")
    if "usage_limit" not in faults and code.usage_limit is not None and code.usage_limit < code.used_count:
        faults["usage_limit"] = ngettext(
            "%(count)d order carries the code already: the limit can't be lower.",
            "%(count)d orders carry the code already: the limit can't be lower.",
            code.used_count,
        ) % {"count": code.used_count}
    return faults


def written_faults(code: PromoCode) -> Iterator[tuple[str, str]]:
    if sentence := spelling_fault(code.code):
        yield "code", sentence
    if sentence := value_fault(code.kind, code.value):
        yield "value", sentence
    if code.starts_at and code.ends_at and code.ends_at <= code.starts_at:
        yield "ends_at", _("It would end before it begins.")
    least = code.minimum_total
    if least is not None and Decimal(least).is_finite():
        if least < 0:
            yield "minimum_total", _("Give 0 or more.")
        elif sentence := coin_fault(least):
            yield "minimum_total", sentence


def is_used(code: PromoCode) -> bool:
    """Whether an order carries the code, or did until it was cancelled."""
    return PromoRedemption.objects.filter(promo_code=code).exists()
