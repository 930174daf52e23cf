"""Whose costs a page shows: those of one location, and only to who may see them."""

from typing import Any

from django.http import HttpRequest

from foundation.admin.ids import as_id
from inventory.admin.places import places
from inventory.cost_selectors import known_costs
from inventory.costs import PERMISSION
from inventory.models import Location
from inventory.selectors import location_to_show

PLACE_PARAMETER = "location"


def sees_costs(request: HttpRequest) -> bool:
    return request.user.has_perm(PERMISSION)


def cost_place(request: HttpRequest) -> Location | None:
    """The location that the address names, else the person's own, else the first; None in a shop without any."""
    if not places(request):
        return None
    known: Location | None = getattr(request, "_cost_place", None)
    if known is None:
        asked = as_id(request.GET.get(PLACE_PARAMETER))
        known = location_to_show(user=request.user, location_id=asked, locations=places(request))
        request._cost_place = known  # type: ignore[attr-defined]
    return known


def costs_here(request: HttpRequest) -> dict[int, Any]:
    """The known costs of all ingredients at that location, read once for each request."""
    known: dict[int, Any] | None = getattr(request, "_costs_here", None)
    if known is None:
        place = cost_place(request)
        known = known_costs(location=place) if place else {}
        request._costs_here = known  # type: ignore[attr-defined]
    return known


def cost_chips(request: HttpRequest) -> list[dict[str, Any]]:
    """The locations as links that keep the rest of the address; none while there is a single one."""
    if len(places(request)) < 2:
        return []
    chips = []
    for place in places(request):
        query = request.GET.copy()
        query[PLACE_PARAMETER] = str(place.pk)
        query.pop("p", None)
        chips.append({"label": place.name, "url": f"?{query.urlencode()}", "is_on": place == cost_place(request)})
    return chips
