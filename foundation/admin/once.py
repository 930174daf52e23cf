"""A form of the admin that is sent twice acts once: each form that is shown carries a token of its own."""

import json
import uuid
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any

from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _

from foundation.errors import Conflict, InvalidInput, KeyInProgress, KeyMismatch
from foundation.services.idempotency import Answer, digest, run_once

ONCE_FIELD = "once"


@dataclass(frozen=True, slots=True)
class Done:
    """What a form did: the sentence to say and the address to go to."""

    message: str
    url: str


def new_token() -> str:
    """The token of a form that is shown now."""
    return uuid.uuid4().hex


def token_for(request: HttpRequest) -> str:
    """The token of the form that this request shows: of one that comes back for correction still the same.

    Somebody who is told that the first sending is still being worked on, and sends again, gets its answer.
    """
    return request.POST.get(ONCE_FIELD) or new_token()


def do_once(request: HttpRequest, work: Callable[[], Done], *, asked: Any) -> Done:
    """Runs `work` in a transaction, once for the token that came with the form; a repeat gets its first answer.

    `asked` is what the form said (anything JSON can hold), so that a token is never taken for another request.
    A form without a token (not one of ours) acts each time it is sent. What `work` raises goes through and takes
    back all that was written.

    Raises Conflict, with a sentence for a person, while the first one is running and for a changed repeat.
    """
    token = request.POST.get(ONCE_FIELD, "")
    if not token:
        with transaction.atomic():
            return work()
    try:
        answer = run_once(
            user=request.user,
            path=request.path,
            key=token,
            request_digest=digest(asked),
            work=lambda: Answer(status=200, body=json.dumps(asdict(work()))),
        )
    except KeyInProgress as error:
        raise Conflict(_("This is being done already. Reload the page in a moment.")) from error
    except KeyMismatch as error:
        raise Conflict(
            _("This form has been sent once already, with other content. Look at what it did, then open it anew.")
        ) from error
    except InvalidInput as error:
        if set(error.errors) == {"Idempotency-Key"}:
            raise Conflict(_("This form is damaged. Open it anew.")) from error
        raise
    return Done(**json.loads(answer.body))


def asked_by(request: HttpRequest, fields: Iterable[str]) -> dict[str, list[str]]:
    """What the form said in these fields, as it came."""
    return {field: request.POST.getlist(field) for field in sorted(fields)}
