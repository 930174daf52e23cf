"""The filters of the lists of marketplaces. None of them counts, or reads a large table for its choices."""

import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import DropdownFilter

from marketplaces.models import MarketplaceOrder, MarketplaceStock

Choices = list[tuple[str, Any]]


class PlacedFilter(DropdownFilter):
    """Orders that were placed within so many days."""

    title = gettext_lazy("placed")
    parameter_name = "placed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [("1", _("in the last day")), ("7", _("in the last 7 days")), ("30", _("in the last 30 days"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[MarketplaceOrder]) -> QuerySet[MarketplaceOrder]:
        if self.value() not in ("1", "7", "30"):
            return queryset
        return queryset.filter(placed_at__gte=timezone.now() - datetime.timedelta(days=int(self.value() or 0)))


class MatchedFilter(DropdownFilter):
    """SKUs that a listing matches to a product, or that wait for somebody to do so."""

    title = gettext_lazy("product")
    parameter_name = "matched"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [("yes", _("matched to a product")), ("no", _("matched to none"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[MarketplaceStock]) -> QuerySet[MarketplaceStock]:
        match self.value():
            case "yes":
                return queryset.filter(product__isnull=False)
            case "no":
                return queryset.filter(product__isnull=True)
        return queryset
