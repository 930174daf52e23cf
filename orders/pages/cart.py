"""The cart: what somebody wants, changed line by line. Everybody has one; ordering takes an account."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _
from django.views import View

from foundation.admin.once import token_for
from foundation.errors import Refusal
from orders.models import Customer
from orders.pages.answers import as_id, wants_part, with_frame
from orders.pages.cart_contents import Contents, Wishes, contents_of, read_wishes
from orders.pages.places import Places, places_of
from orders.pages.session_cart import Cart
from orders.pricing import LARGEST_QUANTITY
from orders.services.customers import own_customer
from users.models import User

NO_WISHES = Wishes()
PLACE_OWN = "orders.place_own_order"
QUANTITY = "quantity-"


class CartPage(View):
    """GET shows the cart; POST changes quantities, takes lines out, or tries a code."""

    http_method_names = ["get", "head", "post"]

    def get(self, request: HttpRequest) -> HttpResponse:
        return show_cart(request)

    def post(self, request: HttpRequest) -> HttpResponse:
        cart, places, wishes = Cart(request.session), places_of(request), read_wishes(request)
        refusal = ""
        try:
            refusal = change(request, cart, places)
        except Refusal as refused:
            refusal = refused.detail
        return show_cart(request, cart=cart, places=places, wishes=wishes, refusal=refusal)


def change(request: HttpRequest, cart: Cart, places: Places) -> str:
    """Does what the form says; answers with a sentence about what it could not do. Raises NotInCart."""
    if "remove" in request.POST:
        cart.remove([request.POST["remove"]])
        return ""
    if "remove_gone" in request.POST:
        shown = contents_of(cart, location=places.here).lines
        cart.remove([one.line.key for one in shown if one.is_gone])
        return ""
    quantities, wrong = {}, False
    for name, text in request.POST.items():
        if not name.startswith(QUANTITY):
            continue
        number = as_id(str(text).strip())
        if number is None or number > LARGEST_QUANTITY:
            wrong = True
        else:
            quantities[name.removeprefix(QUANTITY)] = number
    cart.change(quantities)
    if wrong:
        return _("The quantity must be a whole number from 1 to %(most)d.") % {"most": LARGEST_QUANTITY}
    return ""


def buyer_of(request: HttpRequest, *, wishes: Wishes) -> Customer | None:
    """The customer's record of whoever asks. Somebody who tries a code or points gets one: both look at it."""
    if not isinstance(request.user, User) or not request.user.has_perm(PLACE_OWN):
        return None
    known = Customer.objects.filter(user_id=request.user.pk).first()
    if known is None and (wishes.promo_code or wishes.redeem_points):
        return own_customer(user_id=request.user.pk)
    return known


def show_cart(
    request: HttpRequest,
    *,
    cart: Cart | None = None,
    places: Places | None = None,
    wishes: Wishes = NO_WISHES,
    refusal: str = "",
    status: int = 200,
) -> HttpResponse:
    """The page, or for htmx what changes of it. Never kept: it belongs to one person and to this moment."""
    cart = cart or Cart(request.session)
    places = places or places_of(request)
    contents: Contents = contents_of(
        cart, location=places.here, wishes=wishes, customer=buyer_of(request, wishes=wishes)
    )
    context: dict[str, Any] = {
        "contents": contents,
        "places": places,
        "refusal": refusal or contents.refusal,
        "once": token_for(request),
        "may_order": request.user.has_perm(PLACE_OWN),
    }
    if wants_part(request):
        response = with_frame(request, render(request, "shop/cart_body.html", context))
    else:
        response = render(request, "shop/cart.html", context, status=status)
    add_never_cache_headers(response)
    return response
