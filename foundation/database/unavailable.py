"""The answer while the database is away, and never a failure of ours."""

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from foundation.coming_again import SAFE, Told, come_again
from foundation.database.repeating import is_surely_undone, may_be_repeated

# Seconds after which it is worth coming again.
COME_AGAIN_AFTER = 5


def unavailable(request: HttpRequest) -> HttpResponse:
    """503, with what is known of what was asked for."""
    return come_again(request, kind="database_unavailable", tell=lambda: told(request), after=COME_AGAIN_AFTER)


def told(request: HttpRequest) -> Told:
    known = advice(request)
    return Told(
        heading=_("The shop can't reach its database just now."),
        advice=known,
        detail=f"{_('The database does not answer.')} {known}",
    )


def advice(request: HttpRequest) -> str:
    """What is known of what was asked for. Where the answer to COMMIT was lost, nobody can know."""
    if request.method in SAFE:
        return _("Ask again in a moment.")
    if is_surely_undone(request):
        return _("Nothing was done: send it again in a moment.")
    if may_be_repeated(request):
        return _("Send it again with the same key: it is done once.")
    return _("It may have been done or not: look before you send it again.")
