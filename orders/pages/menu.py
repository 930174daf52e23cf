"""The menu: what the shop sells, where somebody wants to order it. Everybody may look."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from inventory.search import LONGEST_TEXT
from orders.pages.answers import as_id, page, wants_part
from orders.pages.places import places_of
from orders.pages.shelves import finds_at, menu_at


@require_safe
def menu_page(request: HttpRequest) -> HttpResponse:
    """The menu by category, or what a search finds. htmx gets the products alone."""
    places = places_of(request)
    text = request.GET.get("q", "").replace("\0", "").strip()[:LONGEST_TEXT]
    category_id = as_id(request.GET.get("category"))
    if text:
        menu = finds_at(places.here, text=text)
    else:
        menu = menu_at(places.here, category_id=category_id, after=as_id(request.GET.get("after")))
    context = {"menu": menu, "places": places, "text": text, "category_id": category_id}
    if wants_part(request, "shelves"):
        return page(request, "shop/shelves.html", context)
    if wants_part(request, "more"):
        return page(request, "shop/more_shelves.html", context)
    return page(request, "shop/menu.html", context)
