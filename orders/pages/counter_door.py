"""The door of the counter: who may come in, at which till they stand, and who of the shop's people sells there."""

from dataclasses import dataclass
from typing import Any, ClassVar

from django.contrib.auth.views import redirect_to_login
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views import View

from foundation.errors import Conflict
from inventory.admin.places import open_places
from inventory.models import Location
from inventory.selectors import location_to_show
from orders.models import CounterPin, Employee, OrderEvent, Shift
from orders.selectors import employee_of
from orders.services.actor import Actor

TILL_COOKIE, TILL_DAYS = "counter_till", 365
FIRST_TILL = "1"
SELLER = "counter_seller"


class CounterLocked(Conflict):
    """Nobody has said who sells, and the shop wants to know."""

    code = "locked"


class CounterView(View):
    """Lets in whom the shop employs: others are sent to the admin's sign-in and come back, or may not."""

    permissions: ClassVar[tuple[str, ...]] = ("orders.view_order",)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not is_staff(request):
            if request.user.is_authenticated:
                raise PermissionDenied
            return self.sign_in(request)
        if not request.user.has_perms(self.permissions):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def sign_in(self, request: HttpRequest) -> HttpResponse:
        return redirect_to_login(request.get_full_path(), reverse("admin:login"))


class CounterQuestion(CounterView):
    """What the page's scripts ask and send: they are told in JSON that somebody has to sign in again."""

    def sign_in(self, request: HttpRequest) -> HttpResponse:
        sentence = _("You are signed out. Sign in again.")
        return JsonResponse({"type": "not_authenticated", "detail": sentence}, status=401)


def is_staff(request: HttpRequest) -> bool:
    return bool(request.user.is_active and getattr(request.user, "is_staff", False))


def actor_of(request: HttpRequest) -> Actor:
    """The account that is signed in at the counter."""
    return Actor(request.user.pk, OrderEvent.Door.COUNTER)


@dataclass(frozen=True, slots=True)
class Till:
    """Where a browser stands: a till of a location."""

    location: Location
    name: str

    def open_shift(self) -> Shift | None:
        return Shift.objects.filter(location=self.location, till=self.name, closed_at=None).first()


def till_of(request: HttpRequest) -> Till | None:
    """The till of this browser; None while the shop has no open location."""
    locations = open_places(request)
    if not locations:
        return None
    kept = read_till(request)
    return Till(location_to_show(user=request.user, location_id=kept[0], locations=locations), kept[1])


def read_till(request: HttpRequest) -> tuple[int | None, str]:
    """The location and the till's name as the browser keeps them."""
    cookie = request.COOKIES.get(TILL_COOKIE, "")
    try:
        kept = signing.loads(cookie, salt=TILL_COOKIE)
    except signing.BadSignature:
        return None, FIRST_TILL
    match kept:
        case [int() as location_id, str() as name]:
            return location_id, name
    return None, FIRST_TILL


def keep_till(response: HttpResponse, till: Till, *, is_secure: bool) -> None:
    """Lets the browser remember at which till it stands."""
    response.set_cookie(
        TILL_COOKIE,
        signing.dumps([till.location.pk, till.name], salt=TILL_COOKIE),
        max_age=TILL_DAYS * 24 * 3600,
        httponly=True,
        samesite="Lax",
        secure=is_secure,
    )


@dataclass(frozen=True, slots=True)
class Seller:
    """Who sells at this browser. `is_needed` while nobody does, and somebody must say so first."""

    employee: Employee | None
    is_needed: bool
    # Whether the counter can be locked at all.
    can_lock: bool


def seller_of(request: HttpRequest) -> Seller:
    """Who said who they are with their PIN; in a shop without PINs the employee of the account."""
    with_pins = CounterPin.objects.filter(employee__left_on=None).exists()
    chosen = request.session.get(SELLER)
    employee = Employee.objects.filter(pk=chosen, left_on=None).first() if isinstance(chosen, int) else None
    if employee is None and not with_pins:
        employee = employee_of(request.user)
    return Seller(employee, is_needed=with_pins and employee is None, can_lock=with_pins)


def require_seller(request: HttpRequest) -> Employee | None:
    """Who sells. Raises CounterLocked while nobody has said so and somebody must."""
    seller = seller_of(request)
    if seller.is_needed:
        raise CounterLocked(_("The counter is locked. Say who you are first."))
    return seller.employee
