"""Allegro's token endpoint: a code to show, a pair of tokens for it, a new pair for an old one.

The published specification holds only the security schemes; what is done here follows RFC 8628 (device code) and
RFC 6749 (refreshing), and what Allegro is known to answer: see docs/adr/0050-tokens-that-rotate.md.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from marketplaces.clients.addresses import Api, address_of
from marketplaces.clients.answers import Answer, need, optional
from marketplaces.clients.gate import Gate, digest_of
from marketplaces.clients.http import ApiSession
from marketplaces.errors import BadAnswer, NotAuthorised, NotConnected, Refused
from marketplaces.models import SellerAccount

DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
# Shorter than the lease of whoever refreshes (services/tokens.py): a refresh must not outlive it.
READ_TIMEOUT, CONNECT_TIMEOUT = 10.0, 5.0
# Nor may a person on the connect page, or whoever holds the lease, sit through a longer pause that Allegro asks for.
PATIENCE = 3.0
# RFC 8628: so many seconds between two polls where the server names none.
USUAL_INTERVAL = 5
LONGEST_CODE = 500


class PollAnswer(Enum):
    """What Allegro says to a poll as long as it gives no tokens."""

    PENDING = "authorization_pending"
    SLOW_DOWN = "slow_down"
    DENIED = "access_denied"
    EXPIRED = "expired_token"
    # A wrong code, or one that has been used: Allegro says invalid_request, RFC 6749 invalid_grant.
    INVALID = "invalid_request"


POLL_ANSWERS = {answer.value: answer for answer in PollAnswer} | {"invalid_grant": PollAnswer.INVALID}


@dataclass(frozen=True, slots=True)
class DeviceCode:
    """What a seller is shown, and the secret that is polled with."""

    device_code: str = field(repr=False)
    user_code: str
    verification_uri: str
    verification_uri_complete: str
    expires_in: int
    interval: int


@dataclass(frozen=True, slots=True)
class TokenPair:
    """An access token for `expires_in` seconds, and the one that a new pair is asked for with."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in: int


class RefreshRefused(NotAuthorised):
    """The refresh token is over, used, or taken back by the seller (invalid_grant)."""


def ask_for_code(account: SellerAccount) -> DeviceCode:
    """Begins the device code flow. Raises NotConnected without client id and secret, or a MarketplaceError."""
    client_id, _secret = client_of_application(account)
    answer = ask(account, "/auth/oauth/device", {"client_id": client_id}, errors={})
    data = answer.data if isinstance(answer, Answer) else None
    uri = need(data, "verification_uri", str)
    code = DeviceCode(
        device_code=need(data, "device_code", str),
        user_code=need(data, "user_code", str),
        verification_uri=uri,
        verification_uri_complete=optional(data, "verification_uri_complete", str) or uri,
        expires_in=need(data, "expires_in", int),
        interval=optional(data, "interval", int) or USUAL_INTERVAL,
    )
    for address in (code.verification_uri, code.verification_uri_complete):
        if not address.startswith(("https://", "http://")) or len(address) > LONGEST_CODE:
            raise BadAnswer(_("Allegro's address for the code is no web address."))
    if code.expires_in <= 0 or code.interval <= 0:
        raise BadAnswer(_("Allegro's code has no time to be used in."))
    return code


def poll(account: SellerAccount, *, device_code: str) -> TokenPair | PollAnswer:
    """Asks whether the seller has said yes. Raises a MarketplaceError."""
    answer = ask(
        account,
        "/auth/oauth/token",
        {"grant_type": DEVICE_GRANT, "device_code": device_code},
        errors=POLL_ANSWERS,
    )
    return answer if isinstance(answer, PollAnswer) else pair_of(answer.data)


def refresh(account: SellerAccount, *, refresh_token: str) -> TokenPair:
    """A new pair for the old refresh token, which Allegro takes for 60 s more. Raises RefreshRefused when it takes it
    no longer, or another MarketplaceError; where that `may_have_acted`, the pair may have been changed."""
    answer = ask(
        account,
        "/auth/oauth/token",
        {"grant_type": "refresh_token", "refresh_token": refresh_token},
        errors={"invalid_grant": PollAnswer.INVALID},
    )
    if isinstance(answer, PollAnswer):
        raise RefreshRefused(_("Allegro does not take the refresh token any more."), status=400, code="invalid_grant")
    return pair_of(answer.data)


def ask(
    account: SellerAccount, path: str, form: Mapping[str, str], *, errors: Mapping[str, PollAnswer]
) -> Answer | PollAnswer:
    """One call of the token endpoint: the answer, or which of `errors` it names.

    Nothing is sent twice here: a poll that gave tokens has used the code up, and a refresh is repeated only by whoever
    may do it alone. Of an error only its word is used: the description may repeat the token.
    """
    client_id, secret = client_of_application(account)
    basic = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
    session = ApiSession(
        base_url=address_of(Api.ALLEGRO_AUTH, account=account),
        # How many tokens may be made is limited too, and not said how: 1 a second is far from what is needed.
        gate=Gate(key=f"allegro-auth:{digest_of(client_id)}", rate=1.0, burst=5),
        headers=lambda is_forced: {
            "Authorization": f"Basic {basic}",
            "User-Agent": settings.MARKETPLACE_USER_AGENT,
            "Accept": "application/json",
        },
        marketplace=account.marketplace,
        account=str(account.pk),
        read_timeout=READ_TIMEOUT,
        connect_timeout=CONNECT_TIMEOUT,
        patience=PATIENCE,
    )
    answer = session.call("POST", path, form=form, is_safe=False, accept=(200, 400, 401))
    if answer.status == 200:
        return answer
    word = optional(answer.data, "error", str) or ""
    if word in errors:
        return errors[word]
    if answer.status == 401 or word in ("invalid_client", "unauthorized_client", "unauthorized"):
        raise NotAuthorised(_("Allegro does not know this client id and secret."), status=answer.status, code=word[:50])
    raise Refused(_("Allegro refused the request for tokens (%(word)s).") % {"word": word[:50]}, status=answer.status)


def pair_of(data: Any) -> TokenPair:
    pair = TokenPair(
        access_token=need(data, "access_token", str),
        refresh_token=need(data, "refresh_token", str),
        expires_in=need(data, "expires_in", int),
    )
    if pair.expires_in <= 0 or not pair.access_token or not pair.refresh_token:
        raise BadAnswer(_("Allegro's tokens are empty."))
    return pair


def client_of_application(account: SellerAccount) -> tuple[str, str]:
    """The client id and the secret of the seller's application. Raises NotConnected without them."""
    credentials = account.credentials or {}
    client_id, secret = credentials.get("client_id"), credentials.get("client_secret")
    if not client_id or not secret:
        raise NotConnected(account.name)
    return client_id, secret
