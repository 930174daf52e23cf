"""The page on which SKUs of a marketplace are matched with products, many at once."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.contrib.admin import site
from django.http import Http404
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from foundation.admin.forms import ThemedForm
from foundation.admin.ids import as_id
from foundation.admin.once import Done
from foundation.admin.pages import FormPage
from foundation.errors import Refusal
from marketplaces.admin.product_picker import ProductField, ProductPicker, names_of
from marketplaces.errors import UnknownAccount
from marketplaces.matching import Suggestion, Unmatched, suggestions, unmatched_skus, unmatched_stock
from marketplaces.models import Listing, SellerAccount
from marketplaces.services.listings import LARGEST_NUMBER, Match, match_many

ROWS = 30


class MatchLine(ThemedForm):
    """A SKU, whether it is taken up now, and what it is."""

    take = forms.BooleanField(label=gettext_lazy("Match"), required=False)
    sku = forms.CharField(widget=forms.HiddenInput, max_length=100)
    name = forms.CharField(widget=forms.HiddenInput, required=False, max_length=300)
    barcode = forms.CharField(widget=forms.HiddenInput, required=False, max_length=60)
    product = ProductField(
        label=gettext_lazy("Product"),
        required=False,
        widget=ProductPicker(Listing._meta.get_field("product"), site),
    )
    quantity = forms.IntegerField(
        label=gettext_lazy("Portions in one piece"), required=False, min_value=1, max_value=LARGEST_NUMBER
    )

    def __init__(self, *args: Any, names: dict[int, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["product"]
        field.know(names)

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if data.get("take") and not data.get("product") and "product" not in self.errors:
            self.add_error("product", _("Choose a product."))
        return data

    @property
    def is_taken(self) -> bool:
        return bool(self.cleaned_data.get("take"))

    def match(self) -> Match:
        data = self.cleaned_data
        return Match(data["sku"], data["product"], data["quantity"] or 1, name=data["name"], barcode=data["barcode"])


MatchLines = forms.formset_factory(MatchLine, extra=0, max_num=ROWS, absolute_max=ROWS)


class UnmatchedPage(FormPage):
    """The SKUs that an account's stock and orders name and no listing matches, some at a time. What has the same number
    as a product of the shop is ticked; what is only called alike is for a person to tick."""

    path, name = "unmatched/", "unmatched"
    title = gettext_lazy("Unmatched SKUs")
    permission = "marketplaces.add_listing"
    template_name = "marketplaces/unmatched.html"
    form_class, formset_class = ThemedForm, MatchLines
    submit_label, submit_icon = gettext_lazy("Match what is ticked"), "join_inner"

    @cached_property
    def accounts(self) -> list[SellerAccount]:
        return list(SellerAccount.objects.defer("credentials", "tokens").order_by("marketplace", "name"))

    @cached_property
    def in_stock(self) -> dict[UUID, int]:
        return unmatched_stock()

    @cached_property
    def account(self) -> SellerAccount | None:
        """The one that the address names, else the first with something unmatched in stock. Raises Http404."""
        if asked := self.request.GET.get("account"):
            named = next((account for account in self.accounts if str(account.pk) == asked), None)
            if named is None:
                raise Http404
            return named
        first = next((account for account in self.accounts if account.pk in self.in_stock), None)
        return first or next(iter(self.accounts), None)

    @cached_property
    def found(self) -> list[Unmatched]:
        if self.account is None:
            return []
        after = self.request.GET.get("after", "").replace("\0", "")
        return unmatched_skus(account_id=self.account.pk, after=after, most=ROWS + 1)

    @cached_property
    def guesses(self) -> dict[str, Suggestion]:
        return suggestions(self.found[:ROWS])

    def formset_kwargs(self) -> dict[str, Any]:
        if self.request.method == "POST":
            chosen = [as_id(str(value)) for name, value in self.request.POST.items() if name.endswith("-product")]
            return {"form_kwargs": {"names": names_of([pk for pk in chosen if pk])}}
        return {
            "initial": [self.initial_of(row) for row in self.found[:ROWS]],
            "form_kwargs": {"names": {guess.product_id: guess.name for guess in self.guesses.values()}},
        }

    def initial_of(self, row: Unmatched) -> dict[str, Any]:
        guess = self.guesses.get(row.sku)
        return {
            "take": guess is not None and guess.is_sure,
            "sku": row.sku,
            "name": row.name,
            "barcode": row.barcode,
            "product": guess.product_id if guess else None,
            "quantity": 1,
        }

    def act(self, form: Any, lines: list[Any]) -> Done:
        if self.account is None:
            raise UnknownAccount("")
        made = match_many(account_id=self.account.pk, matches=[line.match() for line in taken(lines)])
        sentence = ngettext("%(count)d SKU is matched.", "%(count)d SKUs are matched.", len(made))
        return Done(sentence % {"count": len(made)}, page_url(account=str(self.account.pk)))

    def place(self, refusal: Refusal, form: Any, lines: list[Any]) -> None:
        # The service counts what it was given: only what is ticked.
        super().place(refusal, form, taken(lines))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        by_sku = {row.sku: row for row in self.found}
        lines = list(kwargs["formset"])
        return super().get_context_data(
            account=self.account,
            accounts=[
                {
                    "name": str(account),
                    "number": self.in_stock.get(account.pk, 0),
                    "url": page_url(account=str(account.pk)),
                    "is_on": account == self.account,
                }
                for account in self.accounts
            ],
            rows=[
                {
                    "line": line,
                    "row": by_sku.get(sku := line["sku"].value()),
                    "sku": sku,
                    "guess": self.guesses.get(sku),
                }
                for line in lines
            ],
            next_url=self.next_url(),
            **kwargs,
        )

    def next_url(self) -> str:
        """Where the SKUs after these stand; empty at the end."""
        if self.account is None or len(self.found) <= ROWS:
            return ""
        return page_url(account=str(self.account.pk), after=self.found[ROWS - 1].sku)


def taken(lines: list[Any]) -> list[Any]:
    return [line for line in lines if line.is_taken]


def page_url(**parameters: str) -> str:
    return f"{reverse('admin:marketplaces_listing_unmatched')}?{urlencode(parameters)}"
