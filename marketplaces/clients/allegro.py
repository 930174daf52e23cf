"""The client of Allegro's REST API."""

from marketplaces.clients.base import MarketplaceClient
from marketplaces.models import SellerAccount


def open_allegro(account: SellerAccount, *, read_timeout: float) -> MarketplaceClient:
    """The client of an Allegro account, with a session of its own."""
    raise NotImplementedError
