"""The page about the database: what is slow, what is large, who waits, from PostgreSQL's own views."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from foundation.admin.pages import AdminPage
from monitoring.database.look import look_at_database
from monitoring.database.statements import Order
from monitoring.errors import CheckFailed

ORDERS: dict[str, Any] = {Order.TOTAL: _("Time in all"), Order.MEAN: _("Time of each"), Order.CALLS: _("How often")}


class DatabasePage(AdminPage):
    """The database now. Statements are shown without the values in them."""

    path, name = "database/", "database"
    title = _("Database")
    permission = "monitoring.view_database"
    template_name = "monitoring/database.html"
    http_method_names = ["get", "head", "options"]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        asked = self.request.GET.get("by", "")
        order = Order(asked) if asked in ORDERS else Order.TOTAL
        context: dict[str, Any] = {
            "order": order,
            "orders": [{"name": str(one), "title": title, "is_on": one == order} for one, title in ORDERS.items()],
        }
        try:
            context["look"] = look_at_database(order=order)
        except CheckFailed as failure:
            context["problem"] = str(failure)
        return super().get_context_data(**context, **kwargs)
