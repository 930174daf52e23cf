"""Tokens that prove themselves: what they are for and when they end stands in them, signed.

So the stand-in has to remember only those that were used up, and one that is killed never loses a seller's token.
"""

import base64
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from typing import Any

ACCESS_SECONDS = 43_199
REFRESH_SECONDS = 90 * 86_400.0
# It guards nothing: whoever reaches the stand-in may have its toys.
SIGNATURE_KEY = b"samovar stand-in"


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    seller: str
    issued_at: float
    expires_at: float


def make(kind: str, seller: str, *, now: float, seconds: float) -> str:
    """Returns a token that lives that long."""
    facts = {"k": kind, "s": seller, "i": now, "e": now + seconds, "j": secrets.token_hex(6)}
    body = base64.urlsafe_b64encode(json.dumps(facts).encode()).decode().rstrip("=")
    return f"{body}.{_signature(body)}"


def read(text: str) -> Token | None:
    """Returns what the token says, or None if it is none of ours."""
    body, _, signature = text.partition(".")
    if not hmac.compare_digest(signature.encode(), _signature(body).encode()):
        return None
    facts: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return Token(kind=facts["k"], seller=facts["s"], issued_at=facts["i"], expires_at=facts["e"])


def _signature(body: str) -> str:
    return hmac.new(SIGNATURE_KEY, body.encode(), hashlib.sha256).hexdigest()[:32]
