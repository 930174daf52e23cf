"""Ordering what is in the cart, by a customer who has signed in."""

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from foundation.admin.once import Done, asked_by, do_once
from foundation.errors import Conflict, InvalidInput, Refusal
from foundation.money import money
from inventory.models import Location
from orders.errors import PromoCodeRefused
from orders.models import OrderEvent
from orders.pages.cart import PLACE_OWN, show_cart
from orders.pages.cart_contents import Wishes, fingerprint_of, read_wishes
from orders.pages.places import places_of
from orders.pages.session_cart import Cart
from orders.services.actor import Actor
from orders.services.customers import place_own_order
from users.models import User

# What makes two sendings of the form the same request.
FIELDS = ("shown", "comment", "promo_code", "redeem_points")


class CartChanged(Conflict):
    """The cart is not what the page showed any more."""

    code = "changed_meanwhile"

    def __init__(self) -> None:
        super().__init__(
            _("Your cart has changed since this page was shown, perhaps in another tab. Look at it again.")
        )


@require_POST
def place_order_page(request: HttpRequest) -> HttpResponse:
    """Places the order once for each form that was shown, however often it is sent. A refusal is said at the cart."""
    user = request.user
    if not isinstance(user, User):
        return redirect_to_login(reverse("shop:cart"), reverse("account_login"))
    if not user.has_perm(PLACE_OWN):
        raise PermissionDenied
    cart, places, wishes = Cart(request.session), places_of(request), read_wishes(request)
    here, shown, status = places.here, request.POST.get("shown", ""), 409
    if here is None:
        return show_cart(request, cart=cart, places=places, wishes=wishes, status=status)
    try:
        if wishes.faults:
            raise InvalidInput(" ".join(wishes.faults.values()))
        done = do_once(
            request,
            lambda: place(user, cart, here, wishes, shown),
            asked=asked_by(request, FIELDS),
        )
    except Refusal as refusal:
        # What the page finds out itself is said at its place; the rest above it.
        told = "" if isinstance(refusal, PromoCodeRefused) or wishes.faults else sentence_of(refusal)
        status = 400 if isinstance(refusal, InvalidInput) else status
        return show_cart(request, cart=cart, places=places, wishes=wishes, refusal=told, status=status)
    # A repeat finds the cart empty already, or filled anew: what was put in since stays.
    if fingerprint_of(cart, here) == shown:
        cart.clear()
    messages.success(request, done.message)
    return HttpResponseRedirect(done.url)


def place(user: User, cart: Cart, location: Location, wishes: Wishes, shown: str) -> Done:
    """The one service call. Raises what it raises, and CartChanged."""
    if fingerprint_of(cart, location) != shown:
        raise CartChanged
    order = place_own_order(
        user_id=user.pk,
        location=location,
        lines=[line.as_order_line() for line in cart.lines],
        actor=Actor(user.pk, OrderEvent.Door.WEB),
        comment=wishes.comment,
        promo_code=wishes.promo_code,
        redeem_points=wishes.redeem_points,
    )
    sentence = _("Order #%(number)s is placed: %(total)s. Pay when you pick it up.")
    return Done(
        sentence % {"number": order.number, "total": money(order.total)},
        reverse("shop:order", args=[order.number]),
    )


def sentence_of(refusal: Refusal) -> str:
    """What to do about a refusal, in words for a guest: what an ingredient lacks is the shop's business, and stands at
    the lines in the guest's words."""
    if refusal.code in {"unavailable", "insufficient_stock"}:
        return _("Somebody was quicker: not everything is there any more. Nothing has been ordered.")
    return refusal.detail
