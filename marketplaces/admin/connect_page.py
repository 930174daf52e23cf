"""The page on which an Allegro account is connected: the code, the address, a picture of it for the phone, and how it
stands. A script asks on; without it there is a button.
"""

import datetime
from functools import cached_property
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from foundation.admin.pages import AdminPage
from foundation.admin.qr import qr_picture
from foundation.errors import Refusal
from marketplaces.account_tasks import hand_over_test
from marketplaces.choices import Marketplace
from marketplaces.errors import NoConnectionInProgress
from marketplaces.models import DeviceConnection, SellerAccount
from marketplaces.services.connecting import begin_connection, check_connection, connection_of, guidance

PERMISSION = "marketplaces.connect_selleraccount"
BADGES = {
    DeviceConnection.Status.WAITING: "info",
    DeviceConnection.Status.CONNECTED: "good",
    DeviceConnection.Status.DENIED: "bad",
    DeviceConnection.Status.EXPIRED: "warn",
    DeviceConnection.Status.INVALID: "bad",
}


class OfAllegroAccount(AdminPage):
    """A page of one Allegro account."""

    title = gettext_lazy("Connect to Allegro")
    permission = PERMISSION

    @cached_property
    def account(self) -> SellerAccount:
        account = SellerAccount.objects.filter(pk=self.kwargs["account_id"], marketplace=Marketplace.ALLEGRO).first()
        if account is None:
            raise Http404
        return account

    def check(self) -> DeviceConnection:
        return check_connection(account_id=self.account.pk, at=timezone.now(), hand_over=hand_over_test)


class ConnectPage(OfAllegroAccount):
    """The page; sending it gets a code ("begin") or asks Allegro now ("check")."""

    path, name = "<uuid:account_id>/connect/", "connect"
    template_name = "marketplaces/connect.html"

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            if request.POST.get("do") == "check":
                if self.check().status == DeviceConnection.Status.WAITING:
                    self.model_admin.message_user(request, _("Not yet: nobody has allowed the access so far."))
            else:
                begin_connection(account_id=self.account.pk, started_by_id=request.user.pk, at=timezone.now())
        except Refusal as refusal:
            self.model_admin.message_user(request, refusal.detail, messages.ERROR)
        return HttpResponseRedirect(request.path)

    def attempt(self) -> DeviceConnection | None:
        """What the page is about: not an attempt that succeeded long ago, when the connection was lost since."""
        device = connection_of(account_id=self.account.pk)
        is_past = device is not None and device.status == DeviceConnection.Status.CONNECTED
        return None if is_past and self.account.connection != SellerAccount.Connection.CONNECTED else device

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        account, device, now = self.account, self.attempt(), timezone.now()
        status = None if device is None else DeviceConnection.Status(device.status)
        is_waiting = status == DeviceConnection.Status.WAITING
        return super().get_context_data(
            account=account,
            account_url=reverse("admin:marketplaces_selleraccount_change", args=[account.pk]),
            has_keys=bool(account.credentials),
            device=device,
            is_waiting=is_waiting,
            is_connected=account.connection == SellerAccount.Connection.CONNECTED,
            is_lost=account.connection == SellerAccount.Connection.LOST,
            badge=BADGES[status] if status else "",
            sentence=guidance(device) if device else "",
            qr=qr_picture(device.verification_uri_complete) if device and is_waiting else "",
            expires_in=minutes_left(device, now) if device else 0,
            wait=seconds_to_wait(device, now) if device else 0,
            status_url=reverse("admin:marketplaces_selleraccount_connect_status", args=[account.pk]),
            **kwargs,
        )


class ConnectStatusPage(OfAllegroAccount):
    """How it stands, for the script of the page: {status, is_over, sentence, wait (seconds)}. Asks Allegro if it is
    time to."""

    path, name = "<uuid:account_id>/connect/status/", "connect_status"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        now = timezone.now()
        try:
            device = self.check()
        except NoConnectionInProgress as refusal:
            return JsonResponse({"status": "", "is_over": True, "sentence": refusal.detail, "wait": 0})
        except Refusal as refusal:
            waiting = connection_of(account_id=self.account.pk)
            wait = seconds_to_wait(waiting, now) if waiting else 0
            sentence = _("Allegro can't be asked now: %(reason)s We go on trying.") % {"reason": refusal.detail}
            return JsonResponse({"status": "waiting", "is_over": False, "sentence": sentence, "wait": wait})
        return JsonResponse(
            {
                "status": device.status,
                "is_over": device.status != DeviceConnection.Status.WAITING,
                "sentence": guidance(device),
                "wait": seconds_to_wait(device, now),
            }
        )


def minutes_left(device: DeviceConnection, now: datetime.datetime) -> int:
    return max(0, int((device.expires_at - now) / datetime.timedelta(minutes=1)))


def seconds_to_wait(device: DeviceConnection, now: datetime.datetime) -> int:
    """Until it is time to ask again; never less than a second."""
    return max(1, round((device.next_poll_at - now).total_seconds()) + 1)
