"""Adding a seller account: first the marketplace, then what it asks for."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.http import Http404
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters

from foundation.admin.forms import ThemedForm
from foundation.admin.once import Done
from foundation.admin.pages import AdminPage, FormPage
from inventory.admin.places import open_places, usual_place
from inventory.models import Location
from marketplaces.account_tasks import hand_over_test
from marketplaces.admin.key_fields import REFUSAL_FIELDS, SECRET_FIELDS, key_fields, keys_in
from marketplaces.choices import Marketplace
from marketplaces.services.accounts import add_account

ACCOUNT = "admin:marketplaces_selleraccount"
# What each marketplace is about, where somebody chooses.
HINTS = {
    Marketplace.ALLEGRO: gettext_lazy(
        "An application's client ID and secret; then the seller types a code at Allegro."
    ),
    Marketplace.OZON: gettext_lazy("A client ID and an API key."),
    Marketplace.WILDBERRIES: gettext_lazy("A token."),
}


class ChooseMarketplacePage(AdminPage):
    """Which marketplace the account is at: each asks for keys of its own."""

    path, name = "new/", "new"
    title = gettext_lazy("New seller account")
    permission = "marketplaces.add_selleraccount"
    template_name = "marketplaces/choose_marketplace.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        choices = [
            {"label": one.label, "hint": HINTS[one], "url": reverse(f"{ACCOUNT}_new_at", args=[one.value])}
            for one in Marketplace
        ]
        return super().get_context_data(choices=choices, **kwargs)


class AccountForm(ThemedForm):
    """Whose account it is, what it sells from, and its keys. While there is a single open location, it is not asked."""

    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=100, help_text=gettext_lazy("As people here call the account.")
    )
    external_user_id = forms.CharField(
        label=gettext_lazy("External user ID"),
        max_length=100,
        initial="shop",
        help_text=gettext_lazy(
            "The name or UUID under which the calling system knows this seller. It can't be changed later."
        ),
    )
    location = forms.TypedChoiceField(
        label=gettext_lazy("Location"),
        coerce=int,
        choices=(),
        help_text=gettext_lazy("What is sold on the marketplace leaves the stock here."),
    )
    push_warehouse_id = forms.CharField(
        label=gettext_lazy("Warehouse for quantities"),
        max_length=40,
        required=False,
        help_text=gettext_lazy("The id of the seller's warehouse there whose quantities are kept up to date."),
    )

    def __init__(self, *args: Any, marketplace: str, places: Sequence[Location], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.places = {place.pk: place for place in places}
        field: Any = self.fields["location"]
        field.choices = [("", _("Choose a location")), *((place.pk, place.name) for place in places)]
        if len(places) == 1:
            del self.fields["location"]
        if marketplace == Marketplace.ALLEGRO:
            del self.fields["push_warehouse_id"]
        keys = key_fields(marketplace)
        self.fields.update(keys)
        self.order_fields(["name", "external_user_id", "location", *keys, "push_warehouse_id"])

    def place(self) -> Location:
        """The location that a valid form means."""
        if "location" not in self.fields:
            return next(iter(self.places.values()))
        return self.places[self.cleaned_data["location"]]


@method_decorator(sensitive_post_parameters(), name="dispatch")
class NewAccountPage(FormPage):
    """The account and its keys. It starts read only, and is connected by a test or, at Allegro, by a code."""

    path, name = "new/<slug:marketplace>/", "new_at"
    title = ""
    permission = "marketplaces.add_selleraccount"
    form_class = AccountForm
    submit_label, submit_icon = gettext_lazy("Add the account"), "add"
    refusal_fields = REFUSAL_FIELDS
    secret_fields = SECRET_FIELDS

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        if kwargs["marketplace"] not in Marketplace.values:
            raise Http404
        self.marketplace = Marketplace(kwargs["marketplace"])
        self.title = _("New account at %(marketplace)s") % {"marketplace": self.marketplace.label}
        return super().dispatch(request, *args, **kwargs)

    def form_kwargs(self) -> dict[str, Any]:
        place = usual_place(self.request)
        return {
            "marketplace": self.marketplace,
            "places": open_places(self.request),
            "initial": {"location": place.pk if place else None},
        }

    def act(self, form: AccountForm, lines: list[Any]) -> Done:
        data = form.cleaned_data
        account = add_account(
            marketplace=self.marketplace,
            external_user_id=data["external_user_id"],
            name=data["name"],
            location=form.place(),
            push_warehouse_id=data.get("push_warehouse_id", ""),
            credentials=keys_in(data),
            added_by_id=self.request.user.pk,
            at=timezone.now(),
        )
        hand_over_test(account.pk)
        return Done(
            message=_("%(account)s is added. It only reads until you let it write.") % {"account": account},
            url=reverse(f"{ACCOUNT}_change", args=[account.pk]),
        )
