"""From whom the shop buys: suppliers with their packs."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import BooleanRadioFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from foundation.admin.deleting import ExplainsDeleting
from foundation.admin.model_admin import ShopModelAdmin, ShopTabularInline
from foundation.admin.refusals import RefusalsInForms
from foundation.errors import InvalidInput
from inventory.admin.ingredient_choice import PicksIngredients
from inventory.admin.shown import badge, pack_cost_shown
from inventory.models import Ingredient, Supplier, SupplierPack
from inventory.services.lines import quantity_fault
from inventory.services.prices import price_fault
from inventory.services.suppliers import PackEntry, add_supplier, change_supplier
from inventory.units import parse_quantity, written


class PackForm(forms.ModelForm):
    """A pack, whose content is written as it stands on it: 12 l, 12 × 1 l, 2.5 kg."""

    content = forms.CharField(
        label=_("content"),
        max_length=60,
        widget=UnfoldAdminTextInputWidget({"class": "sv-short", "placeholder": _("12 × 1 l")}),
    )

    class Meta:
        model = SupplierPack
        fields = ("ingredient", "name", "price", "article", "is_preferred")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            ingredient = self.instance.ingredient
            self.initial["content"] = written(self.instance.quantity, ingredient.unit)
            # Only itself is offered: a list of all ingredients in each of many rows would be a page of megabytes.
            self.fields["ingredient"] = forms.TypedChoiceField(
                label=self.fields["ingredient"].label,
                coerce=int,
                choices=[(ingredient.pk, str(ingredient))],
                widget=UnfoldAdminSelectWidget(),
                error_messages={"invalid_choice": _("A pack keeps its ingredient. Take it out and add a new one.")},
            )

    def clean_ingredient(self) -> Ingredient:
        """Of a pack that is there, the one that it has."""
        chosen: Ingredient = self.instance.ingredient if self.instance.pk else self.cleaned_data["ingredient"]
        return chosen

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        ingredient, content, price = data.get("ingredient"), data.get("content"), data.get("price")
        if ingredient is None or content is None:
            return data
        try:
            data["quantity"] = parse_quantity(content, ingredient.unit)
        except InvalidInput as refusal:
            self.add_error("content", refusal.detail)
            return data
        if sentence := quantity_fault(data["quantity"]):
            self.add_error("content", sentence)
        elif price is not None and (sentence := price_fault(price, pack_quantity=data["quantity"])):
            self.add_error("price", sentence)
        return data

    def _get_validation_exclusions(self) -> set[str]:
        """Whether names are taken the service sees, which looks at all packs together; and choosing another preferred
        pack is no fault: it moves the mark. Constraints are left out with any of their fields."""
        return {*super()._get_validation_exclusions(), "ingredient"}  # type: ignore[misc]

    def entry(self) -> PackEntry:
        """What a valid row says."""
        data = self.cleaned_data
        return PackEntry(
            id=self.instance.pk,
            ingredient_id=data["ingredient"].pk,
            name=data["name"],
            quantity=data["quantity"],
            price=data["price"],
            article=data["article"],
            is_preferred=data["is_preferred"],
        )


def entry_of(pack: SupplierPack) -> PackEntry:
    """The pack as it stands."""
    return PackEntry(
        id=pack.pk,
        ingredient_id=pack.ingredient_id,
        name=pack.name,
        quantity=pack.quantity,
        price=pack.price,
        article=pack.article,
        is_preferred=pack.is_preferred,
    )


class PackInline(PicksIngredients, ShopTabularInline):
    model = SupplierPack
    form = PackForm
    fields = ("ingredient", "name", "content", "price", "cost", "article", "is_preferred")
    readonly_fields = ("cost",)
    # A browser may send 1,000 fields. The packs of other pages stay as they are.
    per_page = 50
    verbose_name_plural = _("packs: how they sell what")

    def get_queryset(self, request: HttpRequest) -> QuerySet[SupplierPack]:
        return super().get_queryset(request).select_related("ingredient")

    @admin.display(description=_("comes to"))
    def cost(self, pack: SupplierPack) -> str:
        return pack_cost_shown(pack) if pack.pk else "—"


@admin.register(Supplier)
class SupplierAdmin(RefusalsInForms, ExplainsDeleting, ShopModelAdmin):
    """Suppliers and what they sell. One pack of an ingredient is preferred: marking another one moves the mark."""

    fieldsets = ((None, {"fields": (("name", "is_active"), ("contact", "phone"), ("email", "address"), "comment")}),)
    inlines = (PackInline,)
    list_display = ("name", "phone", "email", "packs_number", "active_shown")
    list_filter = (("is_active", BooleanRadioFilter),)
    search_fields = ("name", "contact", "phone", "packs__ingredient__name")
    warn_unsaved_form = True
    instead_of_deleting = _("Switch it off instead: “delivers”.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Supplier]:
        return super().get_queryset(request).annotate(packs_number=Count("packs", distinct=True))

    @display(description=_("packs"), ordering="packs_number")
    def packs_number(self, supplier: Any) -> int:
        return int(supplier.packs_number)

    @display(description=_("delivers"), ordering="is_active")
    def active_shown(self, supplier: Supplier) -> SafeString:
        return badge("good", _("yes")) if supplier.is_active else badge("off", _("no"))

    # --- saving ---------------------------------------------------------------------------------------

    def save_model(self, request: HttpRequest, obj: Supplier, form: Any, change: bool) -> None:
        fields = {name: form.cleaned_data[name] for name in form.changed_data if name in form.cleaned_data}
        if change:
            change_supplier(supplier_id=obj.pk, fields=fields)
            return
        saved = add_supplier(fields=fields)
        obj.pk, obj._state.adding, obj._state.db = saved.pk, False, saved._state.db

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """One call for all packs; those that somebody added since the page was shown stay."""
        formset.new_objects, formset.changed_objects, formset.deleted_objects = [], [], []
        if not formset.has_changed():
            return
        shown = [row for row in formset.initial_forms if row.instance.pk]
        added = [row for row in formset.extra_forms if row.has_changed()]
        doomed = set(formset.deleted_forms)
        kept = [row for row in (*shown, *added) if row not in doomed]
        others = SupplierPack.objects.filter(supplier_id=form.instance.pk).exclude(
            pk__in=[row.instance.pk for row in shown]
        )
        change_supplier(
            supplier_id=form.instance.pk,
            fields={},
            packs=[*(row.entry() for row in kept), *(entry_of(pack) for pack in others)],
        )
        formset.new_objects = [row.instance for row in kept if row in added]
        formset.changed_objects = [
            (row.instance, row.changed_data) for row in kept if row in shown and row.has_changed()
        ]
        formset.deleted_objects = [row.instance for row in doomed if row.instance.pk]
