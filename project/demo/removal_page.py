"""The page that removes the demo: what goes, what stays, and the shop's name to be typed."""

from pathlib import Path
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from foundation.admin.forms import ThemedForm
from foundation.admin.once import Done
from foundation.admin.pages import FormPage
from foundation.shop import current_shop
from project.demo.errors import NoDemo
from project.demo.removal import remove_demo, what_goes
from users.request import signed_in_user


class RemovalForm(ThemedForm):
    """The shop's name, typed: nobody does that by mistake."""

    name = forms.CharField(label=gettext_lazy("Name of the shop"), max_length=100)


class RemovalPage(FormPage):
    """Empties the demo shop. Who presses stays, and sets the shop up."""

    path, name = "remove-demo/", "remove_demo"
    title = gettext_lazy("Remove the demo")
    permission = "foundation.change_shop"
    template_name = "shop_settings/remove_demo.html"
    form_class = RemovalForm
    submit_label = gettext_lazy("Remove the demo for good")
    submit_icon = "delete_forever"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not current_shop().is_demo:
            self.model_admin.message_user(request, NoDemo().detail, "ERROR")
            return HttpResponseRedirect(reverse("admin:index"))
        return super().get(request, *args, **kwargs)

    def act(self, form: RemovalForm, lines: list[Any]) -> Done:
        remove_demo(
            typed_name=form.cleaned_data["name"],
            keeper_id=signed_in_user(self.request).pk,
            keeper_session=self.request.session.session_key or "",
            accounts_path=Path(settings.VAR_DIR) / "demo-accounts.json",
        )
        forget_what_was_chosen(self.request.session)
        return Done(_("The demo is gone. Now set up a shop of your own."), reverse("first_run:start"))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            shop=current_shop(), going=what_goes(keeper_id=signed_in_user(self.request).pk), **kwargs
        )


def forget_what_was_chosen(session: SessionBase) -> None:
    """Leaves of the session that goes on only who is signed in: records of the next shop get the same ids, and whoever
    sold at the counter of the demo is not somebody of the next shop."""
    for name in list(session.keys()):
        if not name.startswith(("_auth_", "account_")):
            del session[name]
