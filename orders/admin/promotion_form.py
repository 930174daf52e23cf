"""The form of a promotion, and the page that says in words what it would do while it is filled in."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template import loader
from django.utils.dates import WEEKDAYS
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from foundation.admin.pages import AdminPage
from orders.models import Promotion
from orders.promotion_words import Names, promotion_in_words
from orders.services.promotions import MOST_OFTEN

MONDAY_TO_SUNDAY = [(day + 1, name) for day, name in WEEKDAYS.items()]


class WeekdayBoxes(UnfoldAdminCheckboxSelectMultipleWidget):
    """Seven boxes that stand side by side where there is room."""

    template_name = "orders_admin/weekday_boxes.html"

    def _render(self, template_name: str, context: dict[str, Any], renderer: Any = None) -> SafeString:
        """Forms look for templates among Django's only; this one is the project's."""
        return mark_safe(loader.get_template(template_name).render(context))  # noqa: S308  (a template wrote it)


class OfferForm(forms.ModelForm):
    """What the service checks is left to it: it knows more, and says it in better sentences."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("products", "categories", "locations"):
            if name in self.fields:
                widget: Any = self.fields[name].widget
                widget.can_add_related = widget.can_change_related = widget.can_view_related = False

    def validate_unique(self) -> None:
        pass

    def _get_validation_exclusions(self) -> set[str]:
        return {field.name for field in self.instance._meta.get_fields()}


class PromotionForm(OfferForm):
    weekdays = forms.TypedMultipleChoiceField(
        label=gettext_lazy("Weekdays"),
        choices=MONDAY_TO_SUNDAY,
        coerce=int,
        required=False,
        widget=WeekdayBoxes(),
        help_text=gettext_lazy("None ticked: every day."),
    )

    class Meta:
        model = Promotion
        fields = ("name",)  # The admin names the others.
        help_texts = {
            "kind": gettext_lazy("Of the price, or off each portion."),
            "every": gettext_lazy(
                "1: every portion. 2: every second one, of each two the cheaper: “second drink at half price” is"
                " 50 percent with a 2 here."
            ),
            "starts_time": gettext_lazy("By the clock of the location. Both empty: the whole day."),
            "ends_time": gettext_lazy(
                "If this is earlier than “from”, it goes on past midnight, and the hours after midnight belong to the"
                " day before: Friday 22:00 to 02:00 ends on Saturday at 2."
            ),
            "products": gettext_lazy("Nothing here and no categories: the whole menu."),
            "locations": gettext_lazy("None: all of them."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "every" in self.fields:
            field: Any = self.fields["every"]
            field.min_value, field.max_value = 1, MOST_OFTEN


class PreviewPage(AdminPage):
    """What the form's fields say, in words; asked by the form's script."""

    path, name = "preview/", "preview"
    title = gettext_lazy("Preview")
    permission = "orders.view_promotion"
    http_method_names = ("post",)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form = self.model_admin.get_form(request)(request.POST)
        form.is_valid()
        return JsonResponse({"words": words_of(form.cleaned_data)})


def words_of(data: dict[str, Any]) -> str:
    """What a form with these valid fields would make; a hint while something that is needed is missing."""
    if data.get("value") is None or not data.get("every"):
        return _("Say how much is taken off.")
    goods = [str(one.name) for name in ("categories", "products") for one in data.get(name) or ()]
    places = [str(one.name) for one in data.get("locations") or ()]
    columns = ("kind", "value", "every", "starts_time", "ends_time", "starts_on", "ends_on")
    promotion = Promotion(
        **{name: data[name] for name in columns if data.get(name) is not None}, weekdays=data.get("weekdays") or []
    )
    return promotion_in_words(promotion, Names(goods=goods, places=places, everything=not goods, everywhere=not places))
