"""Option groups with their options, and the effects of each option on its own page."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import Count, Model, Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from foundation.admin.deleting import ExplainsDeleting
from foundation.admin.model_admin import OrderedInline, ShopModelAdmin, ShopTabularInline
from foundation.admin.refusals import RefusalsInForms
from inventory.admin.cost_figures import option_cost_in_words
from inventory.admin.cost_places import cost_chips, costs_here, sees_costs
from inventory.admin.effects import effects_in_words
from inventory.admin.exchange import Exchanges, exchange_pages
from inventory.admin.ingredient_choice import PicksIngredients
from inventory.models import Option, OptionEffect, OptionGroup
from inventory.services.effects import LARGEST_FACTOR
from inventory.services.option_groups import check_choices

Kind = OptionEffect.Kind
WITH_INGREDIENTS = Prefetch("effects", OptionEffect.objects.select_related("ingredient", "replacement"))


class OptionInline(OrderedInline):
    """The answers of a group. What they do to the recipe is said in words, and changed on their own page.

    What they cost is said for a drink as such: what is added, and how much dearer a base unit of a replacement is.
    """

    model = Option
    readonly_fields = ("what_it_does", "what_it_costs")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        asked = ["name", "price_delta", "is_default", "is_available", "position", "what_it_does"]
        return [*asked, *(["what_it_costs"] if sees_costs(request) else [])]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Option]:
        # An inline lives for one request; its columns get nothing but the option.
        self.costs = costs_here(request) if sees_costs(request) else {}
        return super().get_queryset(request).select_related("group").prefetch_related(WITH_INGREDIENTS)

    @admin.display(description=_("what it costs"))
    def what_it_costs(self, option: Option) -> str:
        return option_cost_in_words(option, self.costs) if option.pk else ""

    @admin.display(description=_("what it does"))
    def what_it_does(self, option: Option) -> SafeString:
        if option.pk is None:
            return format_html('<span class="sv-muted">{}</span>', _("Save first, then say what it does."))
        return format_html(
            '<a class="sv-link sv-effects" href="{}">{}<span class="material-symbols-outlined">edit</span></a>',
            reverse("admin:inventory_option_change", args=[option.pk]),
            effects_in_words(option),
        )


@admin.register(OptionGroup)
class OptionGroupAdmin(Exchanges, RefusalsInForms, ExplainsDeleting, ShopModelAdmin):
    """A question asked about a product, with its answers."""

    pages = exchange_pages("option-groups", "options", "option-effects")
    fieldsets = ((None, {"fields": ("name", ("min_choices", "max_choices"), ("free_choices", "position"))}),)
    inlines = (OptionInline,)
    list_display = ("name", "choices_shown", "options_shown", "products_number", "position")
    list_editable = ("position",)
    search_fields = ("name", "options__name")
    instead_of_deleting = _("Take it off those products first.")
    change_form_outer_before_template = "inventory/cost_places.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[OptionGroup]:
        groups = super().get_queryset(request).annotate(products_number=Count("product_links"))
        return groups.prefetch_related("options")

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Refuses a group in which nobody could choose what it asks for."""
        super().save_related(request, form, formsets, change)
        check_choices(form.instance)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        context["cost_places"] = cost_chips(request) if sees_costs(request) else []
        return super().render_change_form(request, context, **kwargs)

    @display(description=_("choose"))
    def choices_shown(self, group: OptionGroup) -> str:
        least, most = group.min_choices, group.max_choices
        return str(least) if least == most else f"{least}–{most}"

    @display(description=_("options"))
    def options_shown(self, group: OptionGroup) -> SafeString:
        names = [option.name for option in group.options.all()]
        return format_html('<span class="sv-clip" title="{0}">{0}</span>', ", ".join(names))

    @display(description=_("products"), ordering="products_number")
    def products_number(self, group: Any) -> int:
        return int(group.products_number)


class EffectForm(forms.ModelForm):
    """One effect. Says at the field what its kind lacks, and drops what only another kind has."""

    needed: ClassVar[dict[str, tuple[str, ...]]] = {
        Kind.REPLACE: ("ingredient", "replacement"),
        Kind.SCALE: ("factor",),
        Kind.ADD: ("ingredient", "quantity"),
    }
    unused: ClassVar[dict[str, tuple[str, ...]]] = {
        Kind.REPLACE: ("factor", "quantity"),
        Kind.SCALE: ("replacement", "quantity"),
        Kind.ADD: ("replacement", "factor"),
    }
    sentences = {
        "ingredient": _("Choose the ingredient."),
        "replacement": _("Choose what comes in its place."),
        "factor": _("Write by how much: 1.4, or 0 for none."),
        "quantity": _("Write how much of it."),
    }

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        kind = str(data.get("kind") or "")
        for name in self.unused.get(kind, ()):
            data[name] = None
            # What is wrong in a field that does not count is not wrong.
            self.errors.pop(name, None)
        for name in self.needed.get(kind, ()):
            if data.get(name) is None and name not in self.errors:
                self.add_error(name, self.sentences[name])
        if kind == Kind.SCALE and not 0 <= (data.get("factor") or 0) <= LARGEST_FACTOR:
            self.add_error("factor", gettext("The factor must be from 0 to %(most)s.") % {"most": LARGEST_FACTOR})
        if kind == Kind.ADD and data.get("quantity") is not None and data["quantity"] <= 0:
            self.add_error("quantity", _("The quantity must be more than 0."))
        if kind == Kind.REPLACE and data.get("ingredient") and data["ingredient"] == data.get("replacement"):
            self.add_error("replacement", _("Choose another ingredient: this one is what it replaces."))
        return data


class EffectInline(PicksIngredients, ShopTabularInline):
    model = OptionEffect
    form = EffectForm
    fields = ("kind", "ingredient", "replacement", "factor", "quantity")

    class Media:
        js = ("samovar/effects.js",)


@admin.register(Option)
class OptionAdmin(RefusalsInForms, ExplainsDeleting, ShopModelAdmin):
    """An option with its effects. It is reached from its group, and leads back to it."""

    fieldsets = ((None, {"fields": (("name", "price_delta"), ("is_default", "is_available"))}),)
    inlines = (EffectInline,)
    search_fields = ("name", "group__name")
    show_add_link = False
    change_form_outer_before_template = "inventory/option_hint.html"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Option]:
        return super().get_queryset(request).select_related("group")

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Options have no list of their own."""
        return HttpResponseRedirect(reverse("admin:inventory_optiongroup_changelist"))

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        check_choices(form.instance.group)

    def response_post_save_change(self, request: HttpRequest, obj: Model) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:inventory_optiongroup_change", args=[obj.group_id]))  # type: ignore[attr-defined]

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        option = kwargs.get("obj")
        if option is not None:
            context["group"] = option.group
        return super().render_change_form(request, context, **kwargs)
