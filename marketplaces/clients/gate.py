"""The limit of one credential at a marketplace, as a value. Each marketplace's client names its own."""

import hashlib
from dataclasses import dataclass

LENGTH_OF_DIGEST = 16


@dataclass(frozen=True, slots=True)
class Gate:
    """At most `rate` calls a second on average and `burst` at once, over all workers that use the same `key`.

    In any stretch of t seconds `rate * t + burst` calls come through: choose the rate a little below the promise of a
    marketplace that counts by the minute.
    """

    key: str
    rate: float
    burst: int = 1


def digest_of(credential: str) -> str:
    """A short name for a credential, to be part of a key; it does not tell the credential."""
    return hashlib.sha256(credential.encode()).hexdigest()[:LENGTH_OF_DIGEST]
