"""What is sold: the menu's products with their recipes and options."""

from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RelatedDropdownFilter
from unfold.decorators import display

from foundation.admin.deleting import ExplainsDeleting
from foundation.admin.model_admin import OrderedInline, ShopModelAdmin
from foundation.admin.verbs import Verb, VerbButtons
from foundation.errors import Refusal
from foundation.money import money
from foundation.services.records import change_record
from inventory.admin.availability import Lacking, availability_badge, lacking_at, reason
from inventory.admin.cost_columns import CostColumns
from inventory.admin.cost_places import sees_costs
from inventory.admin.exchange import Exchanges, exchange_pages
from inventory.admin.filters import AvailableFilter, ListedFilter
from inventory.admin.ingredient_choice import ingredient_choices
from inventory.admin.places import MOST_COLUMNS, places, shows_places
from inventory.admin.portions import portion_of
from inventory.admin.product_costs import NEW_PRODUCT, RecipeInline, costing_of
from inventory.admin.shown import badge
from inventory.menu import MenuProduct, load_menu
from inventory.models import Location, Product, ProductOptionGroup, RecipeLine
from inventory.search import search_products
from inventory.services.pictures import forget_picture

# Side by side in pairs.
FIRST_FIELDS = (("name", "category"), ("price", "position"), ("sku", "barcode"))


def thumbnail(product: Product) -> SafeString:
    """The product's picture, or its first letter where it has none."""
    if product.image:
        return format_html('<img class="sv-thumb" src="{}" alt="" loading="lazy">', product.image.url)
    return format_html('<span class="sv-thumb sv-thumb-none" aria-hidden="true">{}</span>', product.name[:1])


def set_listed(product: Product, is_listed: bool) -> None:
    change_record(model=Product, record_id=product.pk, changes={"is_listed": is_listed})


class OptionGroupsInline(OrderedInline):
    """What the product asks about."""

    model = ProductOptionGroup
    fields = ("group", "position")
    verbose_name = _("option group")
    verbose_name_plural = _("option groups: what it asks about")
    template_after = "inventory/option_costs.html"

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "group" and field is not None:
            # Read once for the page, not once for each row.
            field.choices = list(field.choices)
        return field


@admin.register(Product)
class ProductAdmin(Exchanges, CostColumns, VerbButtons, ExplainsDeleting, ShopModelAdmin):
    """Products; whether one is available now is computed from its recipe and the stock."""

    pages = exchange_pages("products", "recipes")
    fieldsets = ((None, {"fields": (*FIRST_FIELDS, "image", "description")}),)
    # Later it goes on and off the menu by the buttons.
    add_fieldsets = ((None, {"fields": (*FIRST_FIELDS, "image", "description", "is_listed")}),)
    inlines = (RecipeInline, OptionGroupsInline)
    list_filter = (("category", RelatedDropdownFilter), ListedFilter, AvailableFilter)
    list_display_links = ("what",)
    list_select_related = ("category",)
    # Searching is `search_products`; this only makes the field appear.
    search_fields = ("name",)
    search_help_text = _("Name, category, description, SKU or barcode")
    list_per_page = 50
    warn_unsaved_form = True
    actions = ("list_them", "unlist_them")
    instead_of_deleting = _("Take it off the menu instead.")
    change_form_outer_before_template = "inventory/product_now.html"
    verbs = (
        Verb(
            name="list",
            label=_("Put on the menu"),
            icon="visibility",
            permission="inventory.change_product",
            run=lambda request, product, data: set_listed(product, True),
            done=_("%(object)s is on the menu."),
            is_shown=lambda product: not product.is_listed,
            variant="primary",
        ),
        Verb(
            name="unlist",
            label=_("Take off the menu"),
            icon="visibility_off",
            permission="inventory.change_product",
            run=lambda request, product, data: set_listed(product, False),
            done=_("%(object)s is off the menu."),
            is_shown=lambda product: product.is_listed,
        ),
    )

    # --- the list -------------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[Product]:
        return (
            super()
            .get_queryset(request)
            .annotate(is_tracked=Exists(RecipeLine.objects.filter(product_id=OuterRef("pk"))))
        )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Product], search_term: str
    ) -> tuple[QuerySet[Product], bool]:
        return search_products(search_term, products=queryset), False

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist = super().get_changelist_instance(request)
        products = list(changelist.result_list)
        lacking = lacking_at(places(request)[:MOST_COLUMNS], [product.pk for product in products])
        for product in products:
            product.lacking = lacking
        changelist.result_list = products
        return changelist

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        listed = "listed_switch" if self.has_change_permission(request) else "listed_badge"
        shown = places(request)[:MOST_COLUMNS]
        available = [self.available_at(request, place) for place in shown]
        return ["what", "price_shown", *self.cost_columns(request), listed, *available]

    def available_at(self, request: HttpRequest, place: Location) -> Any:
        """The column that says whether products are available at the location."""
        several = shows_places(request)

        @display(description=place.name if several else _("available"))
        def available(product: Any) -> SafeString:
            lacking: Lacking = product.lacking
            return availability_badge(
                product, place, lacking[place.pk].get(product.pk, ()), is_tracked=product.is_tracked
            )

        # The theme tells columns apart by their names.
        available.__name__ = f"available_{place.pk}"
        return available

    @display(description=_("product"), ordering="name")
    def what(self, product: Product) -> SafeString:
        return format_html(
            '<span class="sv-product">{}<span>{}<small>{}</small></span></span>',
            thumbnail(product),
            product.name,
            product.category.name,
        )

    @display(description=_("price"), ordering="price")
    def price_shown(self, product: Product) -> str:
        return money(product.price)

    @display(description=_("menu"), ordering="is_listed")
    def listed_badge(self, product: Product) -> SafeString:
        return badge("good", _("on the menu")) if product.is_listed else badge("off", _("off the menu"))

    @display(description=_("menu"), ordering="is_listed")
    def listed_switch(self, product: Product) -> SafeString:
        return self.verb_in_list(
            product,
            "unlist" if product.is_listed else "list",
            label="",
            title=_("On the menu. Press to take it off.")
            if product.is_listed
            else _("Off the menu. Press to put it on."),
            css_class=f"sv-switch{' sv-switch-on' if product.is_listed else ''}",
        )

    @admin.action(description=_("Put on the menu"), permissions=["change"])
    def list_them(self, request: HttpRequest, queryset: QuerySet[Product]) -> None:
        self.set_all(request, queryset, True)

    @admin.action(description=_("Take off the menu"), permissions=["change"])
    def unlist_them(self, request: HttpRequest, queryset: QuerySet[Product]) -> None:
        self.set_all(request, queryset, False)

    def set_all(self, request: HttpRequest, queryset: QuerySet[Product], is_listed: bool) -> None:
        """Lists or takes off all that are ticked: all or none."""
        products = list(queryset)
        try:
            with transaction.atomic():
                for product in products:
                    set_listed(product, is_listed)
                    self.log_change(request, product, gettext("Put on the menu") if is_listed else gettext("Taken off"))
        except Refusal as refusal:
            self.message_user(request, refusal.detail, messages.ERROR)
            return
        sentence = (
            ngettext("%(count)d product is on the menu.", "%(count)d products are on the menu.", len(products))
            if is_listed
            else ngettext("%(count)d product is off the menu.", "%(count)d products are off the menu.", len(products))
        )
        self.message_user(request, sentence % {"count": len(products)}, messages.SUCCESS)

    # --- one product ----------------------------------------------------------------------------------

    def save_model(self, request: HttpRequest, obj: Product, form: ModelForm, change: bool) -> None:
        """Saves the product; the picture that a new one replaces is deleted once that is certain."""
        if change and "image" in form.changed_data:
            forget_picture(form.initial["image"].name if form.initial.get("image") else None)
        super().save_model(request, obj, form, change)

    def delete_model(self, request: HttpRequest, obj: Product) -> None:
        forget_picture(obj.image.name)
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Product]) -> None:
        for product in queryset:
            forget_picture(product.image.name)
        super().delete_queryset(request, queryset)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        product = kwargs.get("obj")
        if product is not None:
            saved = load_menu([product.pk]).get(product.pk, NEW_PRODUCT)
            self.say_how_it_is_now(request, context, product, saved)
        else:
            saved = NEW_PRODUCT
        if sees_costs(request):
            context["costing"] = costing_of(request, saved)
        return super().render_change_form(request, context, **kwargs)

    def say_how_it_is_now(
        self, request: HttpRequest, context: dict[str, Any], product: Product, saved: MenuProduct
    ) -> None:
        """Adds what stands beside the form: whether it can be sold, and what one portion takes."""
        lacking = lacking_at(places(request), [product.pk])
        portion = portion_of(saved, {one.id: one for one in ingredient_choices(request)})
        context["available_now"] = [
            {
                "place": place.name if shows_places(request) else "",
                "badge": availability_badge(
                    product, place, lacking[place.pk].get(product.pk, ()), is_tracked=bool(portion.lines)
                ),
                "reasons": [reason(lack) for lack in lacking[place.pk].get(product.pk, ())],
            }
            for place in places(request)
        ]
        context["portion"] = portion
