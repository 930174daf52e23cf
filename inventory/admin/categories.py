"""The shelves of the menu."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from foundation.admin.deleting import ExplainsDeleting
from foundation.admin.model_admin import ShopModelAdmin
from inventory.admin.exchange import Exchanges, exchange_pages
from inventory.models import Category


@admin.register(Category)
class CategoryAdmin(Exchanges, ExplainsDeleting, ShopModelAdmin):
    """Categories stand on the menu in the order of their position."""

    pages = exchange_pages("categories")
    fields = ("name", "position")
    list_display = ("name", "products_shown", "position")
    list_editable = ("position",)
    search_fields = ("name",)
    ordering = ("position", "name", "pk")
    list_per_page = 100
    instead_of_deleting = _("Move its products to another category first.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Category]:
        return (
            super()
            .get_queryset(request)
            .annotate(
                products_all=Count("products", distinct=True),
                products_listed=Count("products", filter=Q(products__is_listed=True), distinct=True),
            )
        )

    @display(description=_("products on the menu"), ordering="products_listed")
    def products_shown(self, category: Any) -> SafeString:
        return format_html(
            '<a class="sv-link" href="{}?category__id__exact={}">{}</a>',
            reverse("admin:inventory_product_changelist"),
            category.pk,
            f"{category.products_listed} / {category.products_all}",
        )
