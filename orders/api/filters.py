"""How lists of orders are narrowed."""

from django_filters import rest_framework as filters

from foundation.api.filters import IdFilter
from orders.models import Order
from orders.models.finding import OrderQuerySet


class OrderFilter(filters.FilterSet):
    """`active=true` leaves what somebody still has to do something about; `search` looks for a number or a customer's
    name, phone or e-mail. `archived=false` leaves out what has moved into the archive."""

    status = filters.MultipleChoiceFilter(choices=Order.Status.choices, distinct=False)
    active = filters.BooleanFilter(method="by_activity")
    channel = filters.MultipleChoiceFilter(choices=Order.Channel.choices, distinct=False)
    location = IdFilter(field_name="location_id")
    customer = IdFilter(field_name="customer_id")
    employee = IdFilter(field_name="employee_id")
    placed_after = filters.IsoDateTimeFilter(field_name="placed_at", lookup_expr="gte")
    placed_before = filters.IsoDateTimeFilter(field_name="placed_at", lookup_expr="lt")
    archived = filters.BooleanFilter(field_name="is_archived")
    search = filters.CharFilter(method="by_text")

    def by_activity(self, orders: OrderQuerySet, name: str, value: bool) -> OrderQuerySet:
        return orders.active() if value else orders.exclude(status__in=Order.ACTIVE)

    def by_text(self, orders: OrderQuerySet, name: str, value: str) -> OrderQuerySet:
        return orders.search(value)
