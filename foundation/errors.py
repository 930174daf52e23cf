"""The families of refusals. Every app derives its own named errors from them.

A refusal is expected: somebody asked for what can't be done, nothing has changed, and the sentence says
what to do. Real failures are ordinary exceptions. The doors (API, admin, commands) translate the family:
the API into a status code, the admin into a message.
"""

from collections.abc import Mapping, Sequence
from typing import Any


class Refusal(Exception):
    """Something that was asked for can't be done, and nothing has changed.

    `code` is the `type` of the API's answer, `detail` the sentence for a person, `extra` further fields of
    the answer (values that JSON can hold; quantities and money as strings).
    """

    code = "refused"

    def __init__(self, detail: str, *, extra: Mapping[str, Any] | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.extra = dict(extra or {})


class InvalidInput(Refusal):
    """The request itself is wrong. `errors` names the fields: {"items[0].quantity": ["…"]}."""

    code = "invalid"

    def __init__(self, detail: str, *, errors: Mapping[str, Sequence[str]] | None = None) -> None:
        super().__init__(detail)
        self.errors = {field: list(sentences) for field, sentences in (errors or {}).items()}

    @classmethod
    def at(cls, field: str, sentence: str) -> "InvalidInput":
        """One sentence at one field."""
        return cls(sentence, errors={field: [sentence]})


class Missing(Refusal):
    """What was asked about does not exist, or not for this person."""

    code = "not_found"


class NotPermitted(Refusal):
    """The person may not do this."""

    code = "permission_denied"


class Conflict(Refusal):
    """The request is right, but the state of the shop does not allow it now."""

    code = "conflict"


class InUse(Conflict):
    """It can't be deleted: other records point to it."""

    code = "in_use"


class KeyInProgress(Conflict):
    """The first request under this idempotency key is still running."""

    code = "in_progress"


class KeyMismatch(Refusal):
    """The idempotency key was used before, with another request."""

    code = "idempotency_mismatch"
