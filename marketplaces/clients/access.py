"""The way to the client of a seller account."""

import hashlib
import json
import os
import threading
from collections import OrderedDict

from django.conf import settings
from django.utils.module_loading import import_string

from marketplaces.choices import Marketplace
from marketplaces.clients.addresses import Api, address_of
from marketplaces.clients.base import MarketplaceClient
from marketplaces.clients.http import READ_TIMEOUT
from marketplaces.errors import NotConnected
from marketplaces.models import SellerAccount

# Each of them: open_…(account, *, read_timeout) -> MarketplaceClient.
OPENERS = {
    Marketplace.ALLEGRO: "marketplaces.clients.allegro.open_allegro",
    Marketplace.OZON: "marketplaces.clients.ozon.open_ozon",
    Marketplace.WILDBERRIES: "marketplaces.clients.wildberries.open_wildberries",
}
MAIN_APIS = {
    Marketplace.ALLEGRO: Api.ALLEGRO,
    Marketplace.OZON: Api.OZON,
    Marketplace.WILDBERRIES: Api.WILDBERRIES,
}
# A shop has some accounts, not thousands; beyond that the one unused for longest is opened anew.
MOST_KEPT = 200

kept: OrderedDict[str, MarketplaceClient] = OrderedDict()
guard = threading.Lock()


def client_of(account: SellerAccount, *, read_timeout: float | None = None) -> MarketplaceClient:
    """The client of this account, with a session of its own that is kept while the process lives and the account's
    keys stay the same. `read_timeout` in seconds, where an earlier call needed more patience.

    Raises NotConnected for an account without keys, Unreachable for a demo account without a stand-in.
    """
    if not account.credentials:
        raise NotConnected(account.name)
    patience = read_timeout or READ_TIMEOUT
    name = name_of_client(account, patience)
    with guard:
        client = kept.get(name)
        if client is None:
            client = kept[name] = import_string(OPENERS[Marketplace(account.marketplace)])(
                account, read_timeout=patience
            )
        kept.move_to_end(name)
        while len(kept) > MOST_KEPT:
            kept.popitem(last=False)
    return client


def name_of_client(account: SellerAccount, read_timeout: float) -> str:
    """What makes two calls share a session: the process, the account with its keys, the address and the patience."""
    marketplace = Marketplace(account.marketplace)
    parts = [
        os.getpid(),
        str(account.pk),
        marketplace,
        account.credentials,
        account.push_warehouse_id,
        address_of(MAIN_APIS[marketplace], account=account),
        settings.MARKETPLACE_STANDIN_PACE,
        read_timeout,
    ]
    # A digest, so that no key of an account lies about as the key of a dict.
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
