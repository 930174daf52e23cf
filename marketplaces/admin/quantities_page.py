"""The page from which quantities are sent: how each account stands, and the switch that stops all of them."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from foundation.admin.forms import ThemedForm
from foundation.admin.once import ONCE_FIELD, Done, do_once, new_token
from foundation.admin.pages import AdminPage, everything_asked
from foundation.admin.refusals import add_refusal
from foundation.errors import Refusal
from marketplaces.errors import UnknownAccount
from marketplaces.push_selectors import PushState, push_states
from marketplaces.services.pushes import ask_to_push
from marketplaces.services.switch import start_pushes, stop_pushes, the_switch
from marketplaces.tasks import hand_over_push
from users.models import User

SWITCH, SEND = "marketplaces.stop_pushes", "marketplaces.change_listing"


class StopForm(ThemedForm):
    reason = forms.CharField(label=gettext_lazy("Why"), max_length=300)


class QuantitiesPage(AdminPage):
    """Each account with what waits to be sent; one button per account, and the switch."""

    path, name = "quantities/", "quantities"
    title = gettext_lazy("Send quantities")
    permission = "marketplaces.view_listing"
    template_name = "marketplaces/quantities.html"

    @cached_property
    def stop_form(self) -> StopForm:
        return StopForm(prefix="stop")

    @cached_property
    def states(self) -> list[PushState]:
        return push_states(now=timezone.now())

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        verb = request.POST.get("verb", "")
        if verb not in VERBS:
            raise Http404
        permission, act = VERBS[verb]
        if not request.user.has_perm(permission):
            raise PermissionDenied
        if verb == "stop":
            self.stop_form = StopForm(request.POST, prefix="stop")
            if not self.stop_form.is_valid():
                return self.get(request, *args, **kwargs)
        try:
            done = do_once(request, lambda: act(self), asked=everything_asked(request))
        except UnknownAccount as refusal:
            raise Http404 from refusal
        except Refusal as refusal:
            if verb == "stop":
                add_refusal(self.stop_form, refusal)
                return self.get(request, *args, **kwargs)
            self.model_admin.message_user(request, refusal.detail, messages.ERROR)
            return HttpResponseRedirect(request.path)
        self.model_admin.message_user(request, done.message, messages.SUCCESS)
        return HttpResponseRedirect(done.url)

    def stop(self) -> Done:
        reason = self.stop_form.cleaned_data["reason"]
        stop_pushes(reason=reason, by_id=self.request.user.pk, at=timezone.now())
        return Done(_("Nothing is sent to the marketplaces any more."), self.request.path)

    def start(self) -> Done:
        start_pushes(by_id=self.request.user.pk)
        return Done(_("Quantities and order statuses are sent again."), self.request.path)

    def send(self) -> Done:
        account = ask_to_push(account_id=asked_account(self.request.POST.get("account", "")))
        hand_over_push(account.pk, is_sure=self.request.POST.get("sure") == "yes", by_id=self.request.user.pk)
        return Done(_("The quantities of %(account)s are being sent.") % {"account": account}, self.request.path)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        switch = the_switch()
        person = User.objects.filter(pk=switch.stopped_by_id).first() if switch.stopped_by_id else None
        return super().get_context_data(
            switch=switch,
            stopped_by=person,
            stop_form=self.stop_form,
            states=self.states,
            may_switch=self.request.user.has_perm(SWITCH),
            may_send=self.request.user.has_perm(SEND),
            listings_url=reverse("admin:marketplaces_listing_changelist"),
            once_field=ONCE_FIELD,
            once_token=new_token(),
            **kwargs,
        )


def asked_account(text: str) -> UUID:
    """Raises UnknownAccount for what can't be the id of one."""
    try:
        return UUID(text)
    except ValueError as error:
        raise UnknownAccount(text[:50]) from error


VERBS = {
    "stop": (SWITCH, QuantitiesPage.stop),
    "start": (SWITCH, QuantitiesPage.start),
    "send": (SEND, QuantitiesPage.send),
}
