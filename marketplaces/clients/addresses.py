"""Where the APIs are: the environment says so, or, for a demo account, the stand-in. Never a row of the database."""

from enum import StrEnum

from django.conf import settings
from django.utils.translation import gettext as _

from marketplaces.errors import Unreachable
from marketplaces.models import SellerAccount


class Api(StrEnum):
    """An API, by the prefix under which the stand-in serves it."""

    ALLEGRO = "allegro"
    ALLEGRO_AUTH = "allegro-auth"
    OZON = "ozon"
    WILDBERRIES = "wildberries"
    WILDBERRIES_ANALYTICS = "wildberries-analytics"


def address_of(api: Api, *, account: SellerAccount) -> str:
    """The base address of the API for this account. Raises Unreachable for a demo account without a stand-in."""
    if not account.is_demo:
        address: str = getattr(settings, SETTINGS[api])
        return address.rstrip("/")
    if not settings.MARKETPLACE_STANDIN_URL:
        raise Unreachable(_("The stand-in of the marketplaces is not running, so demo accounts reach nothing."))
    return f"{settings.MARKETPLACE_STANDIN_URL.rstrip('/')}/{api}"


SETTINGS = {
    Api.ALLEGRO: "ALLEGRO_API_URL",
    Api.ALLEGRO_AUTH: "ALLEGRO_AUTH_URL",
    Api.OZON: "OZON_API_URL",
    Api.WILDBERRIES: "WILDBERRIES_MARKETPLACE_URL",
    Api.WILDBERRIES_ANALYTICS: "WILDBERRIES_ANALYTICS_URL",
}
