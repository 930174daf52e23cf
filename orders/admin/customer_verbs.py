"""The buttons of a customer: adjust points, merge with a duplicate, erase."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from foundation.admin.ids import as_id
from foundation.admin.verbs import Verb, VerbForm
from orders.admin.verbs import actor_of
from orders.customer_duplicates import duplicates_of
from orders.loyalty_selectors import adjustment_limit_of
from orders.models import Customer
from orders.phones import shown_phone
from orders.selectors import find_customers
from orders.services.erasing import erase_customer
from orders.services.merging import merge_customers
from orders.services.points import adjust_points

MOST_NAMED = 5


class AdjustForm(VerbForm):
    """How many points, and why."""

    points = forms.IntegerField(
        label=gettext_lazy("Points"), help_text=gettext_lazy("10 gives ten points, -10 takes ten.")
    )
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=300)

    def about(self) -> str:
        return _("Balance now: %(points)d.") % {"points": self.obj.points}


class MergeForm(VerbForm):
    """Which other record is the same person."""

    duplicate = forms.CharField(
        label=gettext_lazy("The duplicate"),
        max_length=100,
        help_text=gettext_lazy("Its number (#12), name, phone or e-mail."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Each of these costs a query: the buttons stand on a page that is often opened.
        self.likely: list[Customer] = list(
            getattr(self.obj, "likely_duplicates", None) or duplicates_of(self.obj)[:MOST_NAMED]
        )
        if self.likely:
            self.fields["duplicate"].initial = f"#{self.likely[0].pk}"

    def about(self) -> str:
        gone = _(
            "Its orders and points come here, and the contacts that are missing. The duplicate can't be used after."
        )
        if not self.likely:
            return gone
        named = ", ".join(named_with_contacts(one) for one in self.likely)
        return _("Same phone or e-mail: %(customers)s.") % {"customers": named} + " " + gone

    def clean_duplicate(self) -> Customer:
        text: str = self.cleaned_data["duplicate"].replace("\x00", "").strip()
        number = as_id(text.removeprefix("#").strip()) if text.startswith("#") else None
        found = Customer.objects.filter(pk=number) if number else find_customers(text).exclude(pk=self.obj.pk)
        some = list(found[: MOST_NAMED + 1])
        if not some:
            raise ValidationError(_("No customer is found by this."))
        if len(some) > 1:
            names = ", ".join(named_with_contacts(one) for one in some[:MOST_NAMED])
            raise ValidationError(_("Several are found: %(customers)s. Give the number of one.") % {"customers": names})
        return some[0]


class EraseForm(VerbForm):
    """Why the person is forgotten."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=300,
        help_text=gettext_lazy("It stays. Do not name the person: “asked for it by letter”."),
    )


def named_with_contacts(customer: Customer) -> str:
    contact = shown_phone(customer.phone) or customer.email
    return f"#{customer.pk} {customer.name}" + (f" ({contact})" if contact else "")


def adjust(request: HttpRequest, customer: Customer, data: dict[str, Any]) -> str:
    entry = adjust_points(
        customer_id=customer.pk, actor=actor_of(request), limit=adjustment_limit_of(request.user), **data
    )
    return _("%(points)+d points. Balance now: %(balance)d.") % {
        "points": entry.points,
        "balance": entry.customer.points,
    }


def erase(request: HttpRequest, customer: Customer, data: dict[str, Any]) -> str:
    # What is logged and said of the customer from here on does not name them any more.
    customer.name = erase_customer(customer_id=customer.pk, actor=actor_of(request), **data).name
    return _("The person's data is erased.")


CUSTOMER_VERBS = [
    Verb(
        name="adjust",
        label=gettext_lazy("Adjust points"),
        permission="orders.adjust_points",
        run=adjust,
        done="",
        form=AdjustForm,
        is_shown=lambda customer: customer.is_current,
        variant="primary",
        icon="loyalty",
    ),
    Verb(
        name="merge",
        label=gettext_lazy("Merge a duplicate"),
        permission="orders.merge_customer",
        run=lambda request, customer, data: merge_customers(
            survivor_id=customer.pk, duplicate_id=data["duplicate"].pk, actor=actor_of(request)
        ),
        done=gettext_lazy("The duplicate is now a part of %(object)s."),
        form=MergeForm,
        is_shown=lambda customer: customer.is_current,
        icon="merge",
    ),
    Verb(
        name="erase",
        label=gettext_lazy("Erase the person's data"),
        permission="orders.erase_customer",
        run=erase,
        done="",
        form=EraseForm,
        warning=gettext_lazy(
            "Name, contacts, comments and the account go for ever, points are written off. Orders and payments stay, "
            "without a name. This can't be undone."
        ),
        is_shown=lambda customer: customer.is_current,
        variant="danger",
        icon="person_off",
    ),
]
