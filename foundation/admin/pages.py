"""Pages of an app's own, attached to a ModelAdmin: receive stock, the low-stock list, a new order.

    class ReceivePage(FormPage):
        path, name, title = "receive/", "receive", _("Receive stock")
        permission = "inventory.receive_stock"
        form_class, formset_class = ReceiptForm, ReceiptLines

        def act(self, form, lines):
            document = receive_stock(...)
            return Done(_("Received."), document_url(document))

    class StockLevelAdmin(OwnPages, ShopModelAdmin):
        pages = [ReceivePage]

The page above is /admin/inventory/stocklevel/receive/, called admin:inventory_stocklevel_receive.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.generic import TemplateView
from unfold.admin import ModelAdmin

from foundation.admin.once import ONCE_FIELD, Done, do_once, token_for
from foundation.errors import InvalidInput, Refusal

LINE_FIELD = re.compile(r"\w+\[(?P<place>\d+)\]\.(?P<field>\w+)")


class AdminPage(TemplateView):
    """A page in the admin's frame. GET and POST alike need `permission` ("app.codename")."""

    path: ClassVar[str]
    name: ClassVar[str]
    title: str | Promise
    permission: ClassVar[str]
    template_name = "foundation/page.html"
    # Given by OwnPages.
    model_admin: Any = None

    def may_open(self, request: HttpRequest) -> bool:
        """Whether the person may use the page."""
        return request.user.has_perm(self.permission)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not self.may_open(request):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        self.request.current_app = self.model_admin.admin_site.name
        return {
            **self.model_admin.admin_site.each_context(self.request),
            # The theme makes the path above the page of it: app, list, title.
            "model_admin": self.model_admin,
            "title": self.title,
            "page": self,
            **super().get_context_data(**kwargs),
        }


class OwnPages(ModelAdmin):
    """For a ModelAdmin that has pages of its own."""

    pages: ClassVar[Sequence[type[AdminPage]]] = ()

    def get_urls(self) -> list[URLPattern]:
        names = f"{self.opts.app_label}_{self.opts.model_name}"
        own = [
            path(
                page.path,
                self.admin_site.admin_view(page.as_view(model_admin=self)),
                name=f"{names}_{page.name}",
            )
            for page in self.pages
        ]
        return [*own, *super().get_urls()]


class FormPage(AdminPage):
    """A page with a form, and lines if it has a `formset_class`; sending it calls one service in `act`.

    What the service refuses is said where it belongs, and nothing has changed: `errors` of InvalidInput at the
    form's fields, "lines[2].quantity" at that field of the third line that was filled in, all else above the form.
    A form that is sent twice acts once.
    """

    template_name = "foundation/form_page.html"
    form_class: type[forms.Form]
    formset_class: type[forms.BaseFormSet] | None = None
    submit_label: str | Promise = _("Save")
    submit_icon = ""
    # Where the service's fields have other names in the form.
    refusal_fields: Mapping[str, str] = {}
    # What leaves no trace, not even in what a second sending is known by.
    secret_fields: ClassVar[frozenset[str]] = frozenset()

    def act(self, form: Any, lines: list[Any]) -> Done:
        """Calls the service with what was filled in: the valid form, and the lines that are not empty."""
        raise NotImplementedError

    def form_kwargs(self) -> dict[str, Any]:
        """More arguments for the form."""
        return {}

    def formset_kwargs(self) -> dict[str, Any]:
        """More arguments for the lines."""
        return {}

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        formset = self.formset_class(prefix="lines", **self.formset_kwargs()) if self.formset_class else None
        return self.show(self.form_class(**self.form_kwargs()), formset)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form = self.form_class(request.POST, request.FILES, **self.form_kwargs())
        formset = (
            self.formset_class(request.POST, prefix="lines", **self.formset_kwargs()) if self.formset_class else None
        )
        # Both are asked, so that all that is wrong is said at once.
        if not all([form.is_valid(), formset is None or formset.is_valid()]):
            return self.show(form, formset)
        lines = filled_lines(formset)
        try:
            asked = {
                name: values for name, values in everything_asked(request).items() if name not in self.secret_fields
            }
            done = do_once(request, lambda: self.act(form, lines), asked=asked)
        except Refusal as refusal:
            self.place(refusal, form, lines)
            return self.show(form, formset)
        self.model_admin.message_user(request, done.message, messages.SUCCESS)
        return HttpResponseRedirect(done.url)

    def place(self, refusal: Refusal, form: forms.Form, lines: list[Any]) -> None:
        """Puts what was refused where it belongs in the form and its lines."""
        errors = refusal.errors if isinstance(refusal, InvalidInput) else {}
        for field, sentences in errors.items():
            found = LINE_FIELD.fullmatch(field)
            for sentence in sentences:
                if found and int(found["place"]) < len(lines):
                    line = lines[int(found["place"])]
                    line.add_error(found["field"] if found["field"] in line.fields else None, sentence)
                else:
                    name = self.refusal_fields.get(field, field)
                    form.add_error(name if name in form.fields else None, sentence)
        if not errors:
            form.add_error(None, refusal.detail)

    def show(self, form: forms.Form, formset: forms.BaseFormSet | None) -> HttpResponse:
        return self.render_to_response(
            self.get_context_data(form=form, formset=formset, once_field=ONCE_FIELD, once_token=token_for(self.request))
        )


def filled_lines(formset: forms.BaseFormSet | None) -> list[Any]:
    """The lines that somebody filled in, in their order; empty ones and those taken out again do not count."""
    if formset is None:
        return []
    return [
        form
        for form in formset.forms
        if form.has_changed() and not (formset.can_delete and form.cleaned_data.get("DELETE"))
    ]


def everything_asked(request: HttpRequest) -> dict[str, list[str]]:
    return {name: values for name, values in request.POST.lists() if name not in (ONCE_FIELD, "csrfmiddlewaretoken")}
