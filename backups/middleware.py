"""While the shop rests, everybody is told so, and nothing asks the database."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from backups.maintenance import current_maintenance, is_under_maintenance

# Seconds after which it is worth coming again: a swap takes no longer as a rule.
COME_AGAIN_AFTER = 15
# Load balancers and supervisors go on asking: a process that is told to wait need not be restarted.
ALWAYS_OPEN = ("/health/",)


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
    """The answer, in the language of the browser: whose account it is can't be asked."""
    said = current_maintenance()
    with translation.override(translation.get_language_from_request(request)):
        sentence = (said.sentence if said else "") or _("The shop is being looked after. It will be back in a moment.")
        if request.path_info.startswith("/api/"):
            response: HttpResponse = JsonResponse({"type": "maintenance", "detail": sentence}, status=503)
        else:
            page = render_to_string(
                "maintenance.html",
                {
                    "sentence": sentence,
                    "come_again_after": COME_AGAIN_AFTER,
                    "is_form": request.method not in ("GET", "HEAD"),
                },
            )
            response = HttpResponse(page, status=503)
        response.headers["Content-Language"] = translation.get_language()
    response.headers["Retry-After"] = str(COME_AGAIN_AFTER)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Vary"] = "Accept-Language, Cookie"
    return response
