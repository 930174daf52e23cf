"""The page about the shop's health."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from foundation.admin.pages import AdminPage
from monitoring.health_selectors import look_at_health


class HealthPage(AdminPage):
    """Every check, asked when the page is opened; with `?all=yes` also those that take long."""

    path, name = "health/", "health"
    title = _("Health")
    permission = "monitoring.view_health"
    template_name = "monitoring/health.html"
    http_method_names = ["get", "head", "options"]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            health=look_at_health(everything=self.request.GET.get("all") == "yes"),
            **kwargs,
        )
