"""Where somebody who looks at the menu wants to order: chosen once, kept in their session."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from inventory.models import Location
from inventory.selectors import location_to_show
from orders.pages.answers import as_id
from users.models import User

PLACE = "place"


@dataclass(frozen=True, slots=True)
class Places:
    """The open locations and the one that pages show; a shop that is closed everywhere has none."""

    every: list[Location]
    here: Location | None

    @property
    def to_choose(self) -> list[Location]:
        """What a page offers: nothing where there is nothing to choose."""
        return self.every if len(self.every) > 1 else []


def places_of(request: HttpRequest) -> Places:
    """The locations for whoever asks: the one they chose, where they work, or the first."""
    every = list(Location.objects.filter(is_active=True).order_by("id"))
    if not every:
        return Places([], None)
    chosen = request.session.get(PLACE)
    if len(every) == 1 or chosen in {location.pk for location in every} or not isinstance(request.user, User):
        here = next((location for location in every if location.pk == chosen), every[0])
    else:
        here = location_to_show(user=request.user, location_id=None, locations=every)
    return Places(every, here)


@require_POST
def choose_place(request: HttpRequest) -> HttpResponse:
    """Remembers the chosen location and goes back to where somebody was; one that is not open is no choice."""
    asked = as_id(request.POST.get("place"))
    if asked is not None and Location.objects.filter(is_active=True, pk=asked).exists():
        request.session[PLACE] = asked
    back = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(
        back, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return HttpResponseRedirect(back if is_ours else "/")
