"""A product with its options: a page of its own, and a sheet over the menu."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.http import require_safe

from foundation.errors import Refusal
from inventory.menu import MenuProduct, load_menu
from inventory.selectors import options_in_stock
from orders.pages.answers import page, wants_part, with_frame
from orders.pages.places import Places, places_of
from orders.pages.product_choice import Choice, first_choice, read_choice
from orders.pages.session_cart import Cart
from orders.pages.shelves import Card, listed_at

LARGEST_ID = 2**63 - 1


class Offer:
    """A listed product where somebody wants to order it, with all that it asks. Raises Http404 for what is not on the
    menu."""

    def __init__(self, request: HttpRequest, product_id: int) -> None:
        self.places: Places = places_of(request)
        here = self.places.here
        product = listed_at(here).filter(pk=product_id).first() if product_id <= LARGEST_ID else None
        whole = load_menu({product_id}).get(product_id) if product is not None else None
        if product is None or whole is None:
            raise Http404
        self.card = Card.of(product)
        self.product: Any = product
        self.whole: MenuProduct = whole
        asked = [option_id for group in whole.groups for option_id in group.options]
        options = options_in_stock(location=here).filter(pk__in=asked) if here and asked else None
        self.in_stock = set(options.values_list("pk", flat=True)) if options is not None else set()

    def context(self, choice: Choice) -> dict[str, Any]:
        return {"card": self.card, "product": self.product, "choice": choice, "places": self.places}


class ProductPage(View):
    """GET shows the product, POST tells its price or puts it into the cart."""

    http_method_names = ["get", "head", "post"]

    def get(self, request: HttpRequest, product_id: int) -> HttpResponse:
        offer = Offer(request, product_id)
        return self.show(offer, first_choice(offer.whole, offer.in_stock))

    def post(self, request: HttpRequest, product_id: int) -> HttpResponse:
        offer = Offer(request, product_id)
        choice = read_choice(offer.whole, offer.in_stock, request.POST)
        if request.POST.get("do") == "price" or choice.line is None:
            return self.show(offer, choice)
        if not offer.product.is_available:
            choice.faults.append(_("%(name)s is sold out now.") % {"name": offer.product.name})
            return self.show(offer, choice)
        try:
            line = choice.line.line
            Cart(request.session).add(product_id=line.product_id, quantity=line.quantity, option_ids=line.option_ids)
        except Refusal as refusal:
            choice.faults.append(refusal.detail)
            return self.show(offer, choice)
        messages.success(request, _("%(name)s is in your cart.") % {"name": offer.product.name})
        if wants_part(request):
            response = HttpResponse(headers={"HX-Trigger": "put-into-cart"})
            return with_frame(request, response)
        return HttpResponseRedirect(f"{reverse('shop:menu')}#category-{offer.product.category_id}")

    def show(self, offer: Offer, choice: Choice) -> HttpResponse:
        """The sheet for htmx, which shows nothing that is not a success; the page for a browser."""
        if wants_part(self.request):
            return page(self.request, "shop/product_form.html", {**offer.context(choice), "in_sheet": True})
        return page(self.request, "shop/product.html", offer.context(choice), status=400 if choice.faults else 200)


@require_safe
def product_price(request: HttpRequest, product_id: int) -> HttpResponse:
    """What the chosen options cost, for the form while somebody chooses."""
    offer = Offer(request, product_id)
    choice = read_choice(offer.whole, offer.in_stock, request.GET)
    return page(request, "shop/product_price.html", offer.context(choice))
