"""Answers to the new-order page's script: JSON, a refusal with its sentence and its places, and each order once."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.utils.translation import gettext as _

from foundation.admin.once import new_token
from foundation.api.errors import refusal_response
from foundation.errors import InvalidInput, KeyMismatch, Refusal
from foundation.services.idempotency import Answer, run_once
from orders.admin.cart import read_object

# The page stays, for the next order; else the order's own page follows.
GOES_ON = "goes_on"


def answer(work: Callable[[], dict[str, Any]]) -> JsonResponse:
    """The answer to the page's script: what `work` returns, or the refusal with its sentence and its places."""
    try:
        return JsonResponse(work())
    except Refusal as refusal:
        refused = refusal_response(refusal)
        return JsonResponse(refused.data, status=refused.status_code)


def once(request: HttpRequest, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Does `work` once for the token that came with the cart: a double click gets the first answer again."""
    data = read_object(request)
    token = data.pop("once", None)
    # What the page shows next is no part of what is asked.
    data.pop(GOES_ON, None)
    if not isinstance(token, str):
        raise InvalidInput(_("This page is damaged. Reload it and try again."))
    try:
        done = run_once(
            user=request.user,
            path=request.path,
            key=token,
            request_digest=hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest(),
            work=lambda: Answer(status=200, body=json.dumps(work())),
        )
    except KeyMismatch as mismatch:
        # The first answer never reached the page, and the cart was changed meanwhile. Who has looked may go on.
        raise KeyMismatch(
            _("This page has been sent once already, with other content. Look at what it did, then press again."),
            extra={"once": new_token()},
        ) from mismatch
    answered: dict[str, Any] = json.loads(done.body)
    return answered
