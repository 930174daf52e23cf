"""One's own page: orders and how far they are, points, contacts. Only what belongs to whoever has signed in."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse, reverse_lazy
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views import View
from django.views.decorators.http import require_safe

from foundation.errors import Conflict, InvalidInput
from orders.loyalty_selectors import points_expiring, standing_of
from orders.models import Customer
from orders.own_selectors import (
    customer_of,
    own_active_orders,
    own_entries,
    own_order,
    own_orders,
)
from orders.pages.answers import as_id, wants_part
from orders.services.customers import change_own_contacts
from orders.services.loyalty import program
from users.models import User

SOON = timedelta(days=30)
# What tells htmx to ask no more.
STOP_POLLING = 286
LARGEST_NUMBER = 2**63 - 1


class ContactsForm(forms.Form):
    """What a customer tells of themselves. It checks what was typed; the service decides."""

    name = forms.CharField(
        label=pgettext_lazy("of a person", "name"),
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    phone = forms.CharField(
        label=gettext_lazy("phone"),
        max_length=30,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "tel", "inputmode": "tel"}),
    )
    birthday = forms.DateField(
        label=gettext_lazy("birthday"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    consent = forms.BooleanField(
        label=gettext_lazy("I agree to messages about my orders and about offers"), required=False
    )

    @classmethod
    def of(cls, customer: Customer | None, user: User) -> "ContactsForm":
        if customer is None:
            return cls(initial={"name": user.name})
        return cls(initial={name: getattr(customer, name) for name in cls.base_fields})


class ProfilePage(LoginRequiredMixin, View):
    """GET shows everything, POST saves the contacts."""

    login_url = reverse_lazy("account_login")
    http_method_names = ["get", "head", "post"]

    def get(self, request: HttpRequest) -> HttpResponse:
        user = cast(User, request.user)
        customer = customer_of(user.pk)
        if wants_part(request, "older-orders"):
            orders = own_orders(customer, before=as_id(request.GET.get("before")))
            return private(render(request, "shop/older_orders.html", {"orders": orders}))
        return self.show(request, customer, ContactsForm.of(customer, user))

    def post(self, request: HttpRequest) -> HttpResponse:
        user = cast(User, request.user)
        form = ContactsForm(request.POST)
        if form.is_valid():
            try:
                change_own_contacts(user_id=user.pk, changes=form.cleaned_data)
            except InvalidInput as refusal:
                for name, sentences in refusal.errors.items():
                    for sentence in sentences:
                        form.add_error(name if name in form.fields else None, sentence)
            except Conflict as refusal:
                form.add_error(None, refusal.detail)
            else:
                messages.success(request, _("Your contacts are saved."))
                return HttpResponseRedirect(reverse("shop:profile"))
        return self.show(request, customer_of(user.pk), form, status=400)

    def show(
        self, request: HttpRequest, customer: Customer | None, form: ContactsForm, *, status: int = 200
    ) -> HttpResponse:
        context: dict[str, Any] = {
            "customer": customer,
            "active": own_active_orders(customer),
            "orders": own_orders(customer, before=as_id(request.GET.get("before"))),
            "form": form,
            "program": program(),
        }
        if customer is not None:
            now = timezone.now()
            context |= {
                "standing": standing_of(customer, now),
                "expiring": points_expiring(customer, now + SOON) if customer.points else 0,
            }
        return private(render(request, "shop/profile.html", context, status=status))


def private(response: HttpResponse) -> HttpResponse:
    """Nothing of a person is kept by a browser that somebody else may use next."""
    add_never_cache_headers(response)
    return response


def for_the_signed_in(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Sends everybody else to sign in and back."""

    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not isinstance(request.user, User):
            return redirect_to_login(request.get_full_path(), reverse("account_login"))
        return private(view(request, *args, **kwargs))

    return guarded


@require_safe
@for_the_signed_in
def active_orders_part(request: HttpRequest) -> HttpResponse:
    """The orders that somebody is waiting for, asked for again and again while there are any.

    When the last one is over the whole page is read anew: its order has moved down, and points may have come.
    """
    active = own_active_orders(customer_of(cast(User, request.user).pk))
    response = render(request, "shop/active_orders.html", {"active": active})
    if not active:
        response.status_code = STOP_POLLING
        response.headers["HX-Refresh"] = "true"
    return response


@require_safe
@for_the_signed_in
def order_page(request: HttpRequest, number: int) -> HttpResponse:
    """One's own order as a receipt. Of anybody else's it says no more than of one that does not exist."""
    customer = customer_of(cast(User, request.user).pk)
    own = own_order(customer, number=number) if number <= LARGEST_NUMBER else None
    if own is None:
        return render(request, "shop/no_order.html", status=404)
    if wants_part(request):
        response = render(request, "shop/order_state.html", {"own": own})
        if not own.order.is_active:
            response.status_code = STOP_POLLING
        return response
    return render(request, "shop/order.html", {"own": own})


@require_safe
@for_the_signed_in
def points_page(request: HttpRequest) -> HttpResponse:
    """Where one's points came from and where they went."""
    customer = customer_of(cast(User, request.user).pk)
    entries = own_entries(customer, before=as_id(request.GET.get("before")))
    return render(request, "shop/points.html", {"customer": customer, "entries": entries})
