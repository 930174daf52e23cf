"""The links to the pages that import and export, at the top of a list."""

from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from unfold.enums import ActionVariant

from foundation.admin.pages import AdminPage, OwnPages
from inventory.admin.exchange_pages import ExportPage, ImportPage


def exchange_pages(*subjects: str) -> tuple[type[AdminPage], type[AdminPage]]:
    """The two pages of a list whose records these kinds of files hold."""
    return (
        type("ImportPage", (ImportPage,), {"subjects": subjects}),
        type("ExportPage", (ExportPage,), {"subjects": subjects}),
    )


class Exchanges(OwnPages):
    """For a ModelAdmin with `exchange_pages` among its pages."""

    links: ClassVar[dict[str, str]] = {"import": "upload", "export": "download"}

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        response = super().changelist_view(request, extra_context)
        context: dict[str, Any] | None = getattr(response, "context_data", None)
        if context is not None:
            # The theme shows them beside its own actions, on a phone in a menu.
            context["actions_list"] = [*context.get("actions_list", ()), *self.exchange_links(request)]
        return response

    def exchange_links(self, request: HttpRequest) -> list[dict[str, Any]]:
        labels = {"import": _("Import"), "export": _("Export")}
        return [
            {
                "title": labels[page.name],
                "icon": self.links[page.name],
                "variant": ActionVariant.DEFAULT,
                "attrs": {},
                "path": reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_{page.name}"),
            }
            for page in self.pages
            if page.name in self.links and page(model_admin=self).may_open(request)
        ]
