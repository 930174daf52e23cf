"""The admin site: the shop's main interface."""

from typing import Any

from django.core.paginator import InvalidPage
from django.http import Http404, HttpRequest
from django.template.response import TemplateResponse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _
from unfold.sites import UnfoldAdminSite

from users.site import AccountPages


class SamovarAdminSite(AccountPages, UnfoldAdminSite):
    """The admin of the shop, with today's figures on its home page."""

    index_template = "home/home.html"
    empty_value_display = "—"

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        # Pages of the admin register with this site when they are imported: they need it made first.
        from orders.models import Order  # noqa: PLC0415
        from project.first_run.reminder import reminder  # noqa: PLC0415
        from project.home import home_context  # noqa: PLC0415

        home = home_context(request, order_admin=self.get_model_admin(Order))
        context = {"title": _("Home"), **reminder(request), **home}
        return super().index(request, {**context, **(extra_context or {})})

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> Any:
        """All lists by app, made when somebody looks at them: every page carries them, few show them."""
        return SimpleLazyObject(lambda: super(SamovarAdminSite, self).get_app_list(request, app_label))

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """The theme's search of pages; it does not look at the page number that it is asked for."""
        if not request.GET.get("page", "1").isdecimal():
            raise Http404
        try:
            return super().search(request, extra_context)
        except InvalidPage as error:
            raise Http404 from error
