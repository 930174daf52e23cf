"""What an answer that is no success comes to: one of `marketplaces.errors`, with the marketplace's own words."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from django.utils.translation import gettext as _

from foundation.logs import MASK, mask_text
from marketplaces.errors import BadAnswer, MarketplaceError, NotAuthorised, NotFound, Refused, ServerError, Timeout

LONGEST_TEXT = 300
# A word shorter than this is no secret, and would tear holes into sentences.
SHORTEST_SECRET = 6
# Nobody is believed who asks for more than a day.
LONGEST_ASKED = 86_400.0


def fault_of(status: int, data: Any, *, call: str, secrets: frozenset[str] = frozenset()) -> MarketplaceError:
    """The error that says what this answer came to. `call` names the call in the sentence; `secrets` never stand in
    it, even if the marketplace repeats them. 429 is the session's."""
    code, text = words_of(data)
    sentence = _("%(call)s was answered with %(status)d: %(text)s") % {
        "call": call,
        "status": status,
        "text": without_secrets(text, secrets)[:LONGEST_TEXT],
    }
    # Where nothing was said, the sentence ends before its colon.
    return kind_of(status)(sentence.rstrip(": "), status=status, code=without_secrets(code, secrets)[:100])


def kind_of(status: int) -> type[MarketplaceError]:
    if status in (401, 403):
        return NotAuthorised
    if status in (404, 410):
        return NotFound
    if status == 408:
        return Timeout
    if status >= 500:
        return ServerError
    return Refused if status >= 400 else BadAnswer


def words_of(data: Any) -> tuple[str, str]:
    """(code, text) of an error in any of the shapes that the three marketplaces use."""
    if isinstance(data, list):
        return words_of(data[0]) if data else ("", "")
    if not isinstance(data, Mapping):
        return "", data if isinstance(data, str) else ""
    # Allegro: {"errors": [{"code", "userMessage", "message", "details"}]}
    errors = data.get("errors")
    if isinstance(errors, list) and errors and isinstance(errors[0], Mapping):
        return words_of(errors[0])
    # OAuth: {"error", "error_description"}; Ozon: {"code", "message"}; Wildberries: {"code", "message"} or
    # {"title", "detail", "code", …}
    code = str(data.get("code") or data.get("error") or "")
    texts = (data.get(name) for name in ("error_description", "message", "userMessage", "detail", "title", "errorText"))
    return code, next((text for text in texts if isinstance(text, str) and text), code)


def without_secrets(text: str, secrets: frozenset[str]) -> str:
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return mask_text(text)


def secrets_in(*groups: Mapping[str, Any] | None) -> frozenset[str]:
    """The words of these headers or fields that might be a secret: each value, and its parts ("Bearer …")."""
    texts = [str(value) for group in groups if group for value in group.values()]
    return frozenset(word for text in texts for word in (text, *text.split()) if len(word) >= SHORTEST_SECRET)


def asked_to_wait(headers: Mapping[str, str], *, now: datetime) -> float | None:
    """So many seconds the marketplace asks for: Retry-After as seconds or as a date, or Wildberries' own
    X-Ratelimit-Retry. None where it does not say."""
    for name in ("Retry-After", "X-Ratelimit-Retry"):
        value = (headers.get(name) or "").strip()
        if value and (seconds := seconds_of(value, now)) is not None:
            return seconds
    return None


def seconds_of(value: str, now: datetime) -> float | None:
    try:
        seconds = float(value)
    except ValueError:
        try:
            moment = parsedate_to_datetime(value)
        except ValueError:
            return None
        seconds = ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now).total_seconds()
    return min(max(seconds, 0.0), LONGEST_ASKED) if math.isfinite(seconds) else None
