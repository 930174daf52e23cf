"""The admin site's pages of one's own account: signing in, and changing one's password."""

from typing import Any, cast

from django.contrib.admin import AdminSite
from django.contrib.auth.views import PasswordChangeView
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from users.forms import OwnPasswordForm
from users.pages.steps import second_step


class AccountPages(AdminSite):
    """To be inherited by the admin site, before the class that gives it its look."""

    login_template = "users/sign_in.html"

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The form's own answer; a second step for whoever has codes on; 429 when the limit of attempts is reached."""
        response = super().login(request, extra_context)
        form = (response.context_data or {}).get("form") if isinstance(response, TemplateResponse) else None
        if user := getattr(form, "needs_code", None):
            return second_step(request, user, then=self._page_after_sign_in(request))
        # Known only after validation, which the view has done by now.
        if retry_after := getattr(form, "retry_after", None):
            response.status_code = 429
            response.headers["Retry-After"] = str(retry_after)
        if request.method == "POST" and isinstance(response, HttpResponseRedirect):
            # Where nothing was asked for, the settings lead to the customers' page.
            return HttpResponseRedirect(self._page_after_sign_in(request))
        return response

    def _page_after_sign_in(self, request: HttpRequest) -> str:
        asked = request.POST.get("next", request.GET.get("next", ""))
        is_ours = url_has_allowed_host_and_scheme(asked, {request.get_host()}, require_https=request.is_secure())
        return asked if is_ours else reverse(f"{self.name}:index", current_app=self.name)

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """Django's page, with the form that calls the shop's service."""
        request.current_app = self.name
        view = PasswordChangeView.as_view(
            form_class=OwnPasswordForm,
            template_name=self.password_change_template or "registration/password_change_form.html",
            success_url=reverse(f"{self.name}:password_change_done", current_app=self.name),
            extra_context={**self.each_context(request), **(extra_context or {})},
        )
        return cast(TemplateResponse, view(request))
