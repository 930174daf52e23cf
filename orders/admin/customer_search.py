"""Who an order is for: found while somebody types, or written down on the spot."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from foundation.admin.pages import AdminPage
from foundation.errors import InvalidInput, NotPermitted
from orders.admin.answers import answer
from orders.admin.cart import read_object
from orders.models import Customer
from orders.phones import shown_phone
from orders.selectors import find_customers
from orders.services.customer_records import add_customer

MOST_FOUND = 8


class CustomerForm(forms.ModelForm):
    """A customer with the least that is worth writing down."""

    # Longer than a number: people write it in many ways.
    phone = forms.CharField(max_length=60, required=False)

    class Meta:
        model = Customer
        fields = ("name", "phone", "email")


class CustomersPage(AdminPage):
    """Finds customers while somebody types; POST writes a new one down."""

    path, name, title = "customers/", "customers", gettext_lazy("Customers")
    permission = "orders.view_customer"
    http_method_names = ("get", "head", "post")

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        text = request.GET.get("q", "").replace("\x00", "").strip()[:100]
        found = find_customers(text)[:MOST_FOUND] if text else []
        return JsonResponse({"customers": [customer_as_json(customer) for customer in found]})

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return answer(lambda: self.add(request))

    def add(self, request: HttpRequest) -> dict[str, Any]:
        if not request.user.has_perm("orders.add_customer"):
            raise NotPermitted(_("You may not add customers."))
        form = CustomerForm(read_object(request))
        if not form.is_valid():
            errors = {name: [str(sentence) for sentence in sentences] for name, sentences in form.errors.items()}
            raise InvalidInput(" ".join(sentence for field in errors.values() for sentence in field), errors=errors)
        customer = add_customer(values=form.cleaned_data)
        self.model_admin.log_addition(request, customer, [{"added": {}}])
        return customer_as_json(customer)


def customer_as_json(customer: Customer) -> dict[str, Any]:
    return {
        "id": customer.pk,
        "name": customer.name,
        "phone": shown_phone(customer.phone),
        "email": customer.email,
        "points": customer.points,
    }
