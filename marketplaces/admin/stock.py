"""What lies where according to the marketplaces, in the admin."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.decorators import display

from foundation.admin.model_admin import ShopModelAdmin, WrittenOutAdmin
from inventory.admin.shown import badge
from marketplaces.admin.filters import MatchedFilter
from marketplaces.models import MarketplaceStock

SHOWN_DAYS = 60


@admin.register(MarketplaceStock)
class MarketplaceStockAdmin(WrittenOutAdmin, ShopModelAdmin):
    """The newest figures of the imports, and those of the days before on the page of a row."""

    list_display = (
        *("sku_shown", "product_shown", "account", "scheme", "warehouse_shown"),
        *("present", "reserved", "in_way_to_client"),
    )
    list_display_links = ("sku_shown",)
    list_filter = (("account", RelatedDropdownFilter), ("stock_type", ChoicesDropdownFilter), MatchedFilter)
    list_select_related = ("account", "product")
    search_fields = ("sku", "name", "barcode")
    search_help_text = _("SKU, name or barcode")
    ordering = ("-id",)
    sortable_by = ()
    list_per_page = 50
    actions = None
    fieldsets = ()
    change_form_outer_before_template = "marketplaces/stock.html"

    class Media:
        css: ClassVar = {"all": ["samovar/marketplaces.css"]}

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer("account__credentials", "account__tokens")

    @display(description=_("SKU"))
    def sku_shown(self, row: MarketplaceStock) -> SafeString:
        return format_html('<span class="mp-id">{}</span>', row.sku)

    @display(description=_("product"))
    def product_shown(self, row: MarketplaceStock) -> SafeString | str:
        return row.product.name if row.product else badge("warn", _("matched to none"))

    @display(description=MarketplaceStock._meta.get_field("stock_type").verbose_name)
    def scheme(self, row: MarketplaceStock) -> SafeString:
        """The marketplaces' own short word; what it means, to who asks."""
        return format_html('<span title="{}">{}</span>', row.get_stock_type_display(), row.stock_type)

    @display(description=_("warehouse"))
    def warehouse_shown(self, row: MarketplaceStock) -> str:
        return row.warehouse or row.warehouse_id or row.source

    # --- one row --------------------------------------------------------------------------------------

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        row: MarketplaceStock | None = kwargs.get("obj")
        if row is not None:
            context |= self.written_out(row)
        return super().render_change_form(request, context, **kwargs)

    def written_out(self, row: MarketplaceStock) -> Mapping[str, Any]:
        return {
            "row": row,
            "zone": row.account.location.time_zone,
            "days": list(row.snapshots.order_by("-snapshot_date")[:SHOWN_DAYS]),
        }
