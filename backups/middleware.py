"""While the shop rests, everybody is told so, and nothing asks the database."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from backups.maintenance import current_maintenance, is_under_maintenance
from foundation.coming_again import Told, come_again

# Seconds after which it is worth coming again: a swap takes no longer as a rule.
COME_AGAIN_AFTER = 15
# Load balancers and supervisors go on asking: a process that is told to wait need not be restarted. So does Prometheus.
ALWAYS_OPEN = ("/health/", "/metrics")


class MaintenanceMiddleware:
    """Answers 503 with a page for people and JSON for programs. Stands behind what serves static files, and before
    everything that needs the database."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if is_under_maintenance() and not request.path_info.startswith(ALWAYS_OPEN):
            return at_rest(request)
        return self.get_response(request)


def at_rest(request: HttpRequest) -> HttpResponse:
    """503, with what was said when the rest began."""
    return come_again(request, kind="maintenance", tell=told, after=COME_AGAIN_AFTER)


def told() -> Told:
    said = current_maintenance()
    sentence = (said.sentence if said else "") or _("The shop is being looked after. It will be back in a moment.")
    unsaved = _("What you have just sent was not saved. Go back and send it again in a moment.")
    return Told(heading=sentence, advice=unsaved, detail=sentence)
