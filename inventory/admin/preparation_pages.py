"""The page on which somebody says what they have made."""

import zoneinfo
from decimal import Decimal
from typing import Any

from django import forms
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from foundation.admin.ids import as_id
from foundation.admin.numbers import PlainDecimalField, with_unit
from foundation.admin.once import Done
from foundation.admin.pages import FormPage
from foundation.decimals import plain
from foundation.errors import InvalidInput
from inventory.admin.lot_shown import keeps_until
from inventory.admin.places import open_places, usual_place
from inventory.admin.stock_forms import LocationForm
from inventory.admin.valuation_pages import MomentField
from inventory.models import Location, PreparationRecipe
from inventory.preparation_selectors import next_expiries, preparation_recipes, usable_quantities
from inventory.services.preparations import prepare
from inventory.units import LONGEST_TEXT, parse_quantity


class PrepareForm(LocationForm):
    """What was made, how much of it, and until when it keeps. Moments are read by the clocks of the location."""

    ingredient = forms.TypedChoiceField(
        label=gettext_lazy("What"),
        coerce=int,
        choices=(),
        error_messages={
            "required": gettext_lazy("Choose what you have made."),
            "invalid_choice": gettext_lazy("There is no recipe for it. Choose one of these."),
        },
    )
    batches = PlainDecimalField(label=pgettext_lazy("of a preparation", "Batches"), initial=Decimal(1))
    quantity = forms.CharField(
        label=gettext_lazy("Yield"),
        required=False,
        max_length=LONGEST_TEXT,
        help_text=gettext_lazy("Empty: what the recipe promises. “1.4 kg” is understood too."),
    )
    expires_at = MomentField(
        label=gettext_lazy("Keeps until"), help_text=gettext_lazy("Empty: as long as its shelf life says.")
    )
    field_order = ("location", "ingredient", "batches", "quantity", "expires_at", "comment")

    def __init__(self, *args: Any, recipes: list[PreparationRecipe], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["ingredient"]
        field.choices = [(recipe.ingredient_id, recipe.ingredient.name) for recipe in recipes]
        self.units = {recipe.ingredient_id: recipe.ingredient.unit for recipe in recipes}
        self.order_fields(self.field_order)

    def full_clean(self) -> None:
        places = list(self.places.values())
        asked = as_id(self.data.get("location"))
        place = self.places.get(asked or 0) or (places[0] if len(places) == 1 else None)
        with timezone.override(zoneinfo.ZoneInfo(place.time_zone if place else "UTC")):
            super().full_clean()

    def clean(self) -> dict[str, Any]:
        """The yield in the base unit of what was made; None for what the recipe promises."""
        data = super().clean() or self.cleaned_data
        text = data.get("quantity", "").strip()
        data["quantity"] = None
        if text and "ingredient" in data:
            try:
                data["quantity"] = parse_quantity(text, self.units[data["ingredient"]])
            except InvalidInput as refusal:
                self.add_error("quantity", refusal.detail)
        return data


class PreparePage(FormPage):
    """Choose what, say how many batches; the page shows what that takes and what is missing.

    `?ingredient=5&location=2` opens it for these.
    """

    path, name = "prepare/", "prepare"
    title = gettext_lazy("Prepare")
    permission = "inventory.add_preparation"
    template_name = "inventory/prepare.html"
    form_class = PrepareForm
    submit_label, submit_icon = gettext_lazy("Made"), "skillet"

    @cached_property
    def recipes(self) -> list[PreparationRecipe]:
        return list(preparation_recipes())

    def asked_place(self) -> Location | None:
        wanted = as_id(self.request.POST.get("location") or self.request.GET.get("location"))
        return next((place for place in open_places(self.request) if place.pk == wanted), usual_place(self.request))

    def form_kwargs(self) -> dict[str, Any]:
        place = self.asked_place()
        initial = {"location": place.pk if place else None, "ingredient": as_id(self.request.GET.get("ingredient"))}
        return {"places": open_places(self.request), "recipes": self.recipes, "initial": initial}

    def act(self, form: PrepareForm, lines: list[Any]) -> Done:
        said = form.cleaned_data
        made = prepare(
            location=form.place(),
            ingredient_id=said["ingredient"],
            batches=said["batches"],
            quantity=said["quantity"],
            expires_at=said["expires_at"],
            comment=said["comment"],
            created_by_id=self.request.user.pk,
        )
        amount = with_unit(made.quantity, made.ingredient.get_unit_display())
        return Done(
            message=_("Made: %(amount)s %(name)s.") % {"amount": amount, "name": made.ingredient.name},
            url=reverse("admin:inventory_preparation_change", args=[made.pk]),
        )

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        offered = open_places(self.request)
        now = timezone.now()
        made = {recipe.ingredient_id for recipe in self.recipes}
        needed = {line.ingredient_id for recipe in self.recipes for line in recipe.lines.all()}
        there = usable_quantities(locations=offered, ingredient_ids=made | needed, at=now)
        firsts = next_expiries(locations=offered, ingredient_ids=made, at=now)
        shown = self.asked_place() or (offered[0] if offered else None)
        left = {
            place.pk: {recipe.ingredient_id: left_of(recipe, place, there, firsts) for recipe in self.recipes}
            for place in offered
        }
        chosen = str(kwargs["form"]["ingredient"].value() or "")
        return super().get_context_data(
            makes=[
                {
                    "id": recipe.ingredient_id,
                    "name": recipe.ingredient.name,
                    "left": left[shown.pk][recipe.ingredient_id] if shown else "",
                    "is_chosen": str(recipe.ingredient_id) == chosen,
                    "instructions": recipe.instructions,
                }
                for recipe in self.recipes
            ],
            has_place=bool(offered),
            only_place=offered[0].pk if len(offered) == 1 else None,
            data={
                "recipes": {recipe.ingredient_id: recipe_as_json(recipe) for recipe in self.recipes},
                "there": {
                    place.pk: {pk: plain(there.get((place.pk, pk), Decimal(0))) for pk in needed} for place in offered
                },
                "left": left,
            },
            **kwargs,
        )


def left_of(recipe: PreparationRecipe, place: Location, there: Any, firsts: Any) -> str:
    """1,250 g left, the first until 21 Nov 2026, 18:00."""
    key = (place.pk, recipe.ingredient_id)
    amount = with_unit(there.get(key, Decimal(0)), recipe.ingredient.get_unit_display())
    if key in firsts:
        return _("%(amount)s left, the first until %(when)s") % {
            "amount": amount,
            "when": keeps_until(firsts[key], place),
        }
    return _("%(amount)s left") % {"amount": amount}


def recipe_as_json(recipe: PreparationRecipe) -> dict[str, Any]:
    """A recipe as static/samovar/prepare.js reads it."""
    ingredient = recipe.ingredient
    return {
        "yield": plain(recipe.yield_quantity),
        "unit": str(ingredient.get_unit_display()),
        "dates": ingredient.tracks_expiry,
        "lines": [
            {
                "id": line.ingredient_id,
                "name": line.ingredient.name,
                "quantity": plain(line.quantity),
                "unit": str(line.ingredient.get_unit_display()),
            }
            for line in recipe.lines.all()
        ],
    }
