"""The way to the client of a seller account."""

from marketplaces.choices import Marketplace
from marketplaces.clients.base import MarketplaceClient
from marketplaces.models import SellerAccount


def client_of(account: SellerAccount, *, read_timeout: float | None = None) -> MarketplaceClient:
    """The client of this account, with a session of its own that is kept while the process lives and the account's
    keys stay the same. `read_timeout` in seconds, where an earlier call needed more patience.

    Raises NotConnected for an account without keys.
    """
    raise NotImplementedError(Marketplace(account.marketplace))
