"""Locations in the pages of the store room: shown only where the shop has several."""

from django.http import HttpRequest

from inventory.models import DefaultLocation, Location
from inventory.selectors import low_stock

# With more shops than this a list no longer has a column for each.
MOST_COLUMNS = 4


def places(request: HttpRequest) -> list[Location]:
    """All locations, open and closed, read once for each request."""
    known: list[Location] | None = getattr(request, "_places", None)
    if known is None:
        known = list(Location.objects.order_by("id"))
        request._places = known  # type: ignore[attr-defined]
    return known


def open_places(request: HttpRequest) -> list[Location]:
    """The locations that take stock and orders now."""
    return [place for place in places(request) if place.is_active]


def shows_places(request: HttpRequest) -> bool:
    """Whether pages have to say which location they mean."""
    return len(places(request)) > 1


def usual_place(request: HttpRequest) -> Location | None:
    """Where this person works: their default location, else the only open one."""
    defaults = DefaultLocation.objects.filter(user_id=request.user.pk or 0)
    default = defaults.values_list("location_id", flat=True).first()
    candidates = open_places(request)
    for place in candidates:
        if place.pk == default:
            return place
    return candidates[0] if len(candidates) == 1 else None


def low_stock_number(request: HttpRequest) -> int:
    """How many levels are below their minimum, for the menu."""
    return low_stock().order_by().count()
