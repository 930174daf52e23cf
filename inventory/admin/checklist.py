"""Ticking ingredients in a long list: with a field that narrows it down, and how many are ticked."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _

from inventory.admin.ingredient_choice import IngredientChoice


class ChecklistWidget(forms.CheckboxSelectMultiple):
    """Checkboxes that checklist.js narrows down by name; without scripts, all of them."""

    # The theme puts a single checkbox beside its label; these stand below theirs.
    input_type = "checklist"

    class Media:
        css = {"all": ["samovar/counting.css"]}
        js = ("samovar/checklist.js",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.notes: dict[str, str] = {}

    def __deepcopy__(self, memo: Any) -> "ChecklistWidget":
        copied: ChecklistWidget = super().__deepcopy__(memo)
        copied.notes = dict(self.notes)
        return copied

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        chosen = {str(one) for one in value or ()}
        items = [
            {"id": pk, "name": label, "note": self.notes.get(str(pk), ""), "is_on": str(pk) in chosen}
            for pk, label in self.choices
        ]
        # What is ticked comes first: it is what somebody looks for.
        items.sort(key=lambda item: not item["is_on"])
        html = render_to_string("inventory/checklist.html", {"name": name, "items": items, "number": len(chosen)})
        return mark_safe(html)  # noqa: S308  (a template wrote it)


class ChecklistField(forms.TypedMultipleChoiceField):
    """Ids of the ingredients that are ticked; `offer` says which there are."""

    default_error_messages = {
        "invalid_choice": _("There is no such ingredient. Choose one from the list."),
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(coerce=int, widget=ChecklistWidget, **kwargs)

    def offer(self, offered: Sequence[IngredientChoice], notes: Mapping[int, str]) -> None:
        """Takes these ingredients as choices. `notes` stand beside their names: {ingredient id: "on Fridge"}."""
        self.choices = [(one.id, one.name) for one in offered]
        widget: Any = self.widget
        widget.notes = {str(pk): note for pk, note in notes.items()}
