"""Allegro's tokens: the pair that is used, refreshed by one worker at a time and never lost.

See docs/adr/0050-tokens-that-rotate.md.
"""

import datetime
from uuid import UUID


def access_token(*, account_id: UUID, rejected: str = "") -> str:
    """The access token to call Allegro with: refreshed first when little of its life is left, or when it is the one
    that Allegro has just `rejected`.

    Raises UnknownAccount, NotConnected without a pair, NotAuthorised when Allegro takes the refresh token no more and
    the access token is over too, or another MarketplaceError when there is no token to go on with.
    """
    raise NotImplementedError


def refresh_due_tokens(*, at: datetime.datetime) -> int:
    """Refreshes the tokens of all accounts that are past half of their life, and says how many were. What fails is
    tried again the next time, and raises nothing."""
    raise NotImplementedError
