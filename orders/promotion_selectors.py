"""Which promotions hold, and what a promo code is for."""

import datetime
import zoneinfo
from decimal import Decimal
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, Q, QuerySet

from inventory.models import Location
from orders.discounts import AutomaticOffer, CodeOffer, Scope
from orders.models import PromoCode, Promotion

ONE_DAY = datetime.timedelta(days=1)
# Of ids, none is 0.
NO_PRODUCT = frozenset({0})


def promotions_at(*, location: Location, at: datetime.datetime) -> tuple[AutomaticOffer, ...]:
    """The automatic promotions that hold at the location at this moment, by its clock; in one query."""
    local = at.astimezone(zoneinfo.ZoneInfo(location.time_zone))
    here = (
        with_scopes(Promotion.objects.filter(is_active=True))
        .annotate(location_ids=ids_of(Promotion.locations.through, "promotion_id", "location_id"))
        # A night's promotion that began yesterday may still hold.
        .filter(Q(starts_on=None) | Q(starts_on__lte=local.date()))
        .filter(Q(ends_on=None) | Q(ends_on__gte=local.date() - ONE_DAY))
        .order_by("pk")
    )
    return tuple(
        AutomaticOffer(
            id=promotion.pk,
            name=promotion.name,
            is_percent=promotion.kind == Promotion.Kind.PERCENT,
            value=promotion.value,
            every=promotion.every,
            scope=scope_of(promotion),
        )
        for promotion in here
        if holds_at(promotion, local) and is_here(promotion, location)
    )


def is_here(promotion: Any, location: Location) -> bool:
    """Whether the promotion, with its `location_ids`, is for this location; for none if those it named are gone."""
    return location.pk in promotion.location_ids or (promotion.is_everywhere and not promotion.location_ids)


def holds_at(promotion: Promotion, local: datetime.datetime) -> bool:
    """Whether the promotion holds at this local time. What goes past midnight belongs to the day on which it began."""
    day, time = local.date(), local.time()
    start, end = promotion.starts_time, promotion.ends_time
    if start is not None and end is not None:
        if start < end:
            if not start <= time < end:
                return False
        elif time < end:
            day -= ONE_DAY
        elif time < start:
            return False
    if promotion.weekdays and day.isoweekday() not in promotion.weekdays:
        return False
    if promotion.starts_on is not None and day < promotion.starts_on:
        return False
    return promotion.ends_on is None or day <= promotion.ends_on


def code_offer(code: PromoCode) -> CodeOffer:
    """What the code takes off, and of what; in one query."""
    scoped = with_scopes(PromoCode.objects.filter(pk=code.pk)).get()
    return CodeOffer(
        code=code.code,
        is_percent=code.kind == PromoCode.Kind.PERCENT,
        value=code.value,
        minimum_total=code.minimum_total or Decimal("0.00"),
        scope=scope_of(scoped),
    )


def with_scopes(rows: QuerySet) -> QuerySet:
    """The promotions or codes, each with the ids of the products and categories that it is for."""
    name = f"{rows.model._meta.model_name}_id"
    return rows.annotate(
        product_ids=ids_of(rows.model.products.through, name, "product_id"),
        category_ids=ids_of(rows.model.categories.through, name, "category_id"),
    )


def ids_of(through: type, owner: str, other: str) -> ArraySubquery:
    return ArraySubquery(through.objects.filter(**{owner: OuterRef("pk")}).values(other))  # type: ignore[attr-defined]


def scope_of(row: Any) -> Scope:
    """What a promotion or a code of `with_scopes` is for; nothing, if what it named has been deleted."""
    if row.product_ids or row.category_ids:
        return Scope(frozenset(row.product_ids), frozenset(row.category_ids))
    return Scope() if row.covers_menu else Scope(NO_PRODUCT)
