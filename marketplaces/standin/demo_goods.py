"""The goods and the sellers that the demo shop and the stand-in both know: the one sells what the other offers.

No Django here: the stand-in reads it as a program of its own.
"""

from dataclasses import dataclass

from marketplaces.standin.sellers import ALLEGRO, OZON, WILDBERRIES


@dataclass(frozen=True, slots=True)
class DemoGood:
    """`sku` is the shop's own, and what Ozon calls the offer; the others are the marketplaces' numbers."""

    sku: str
    barcode: str
    name: str
    zloty: str
    roubles: str
    allegro_offer: str
    ozon_product: int
    ozon_sku: int
    wildberries_size: str
    wildberries_card: int


DEMO_GOODS = (
    DemoGood(
        "TIN-ASSAM-100", "2000000000015", "Assam tea, tin of 100 g", "39.00", "690.00",
        "15600000001", 118500001, 1904600001, "270500001", 170500001,
    ),
    DemoGood(
        "TIN-JASMINE-100", "2000000000022", "Jasmine tea, tin of 100 g", "45.00", "790.00",
        "15600000002", 118500002, 1904600002, "270500002", 170500002,
    ),
    DemoGood(
        "KIT-BUBBLE-6", "2000000000039", "Bubble tea kit for six cups", "79.00", "1390.00",
        "15600000003", 118500003, 1904600003, "270500003", 170500003,
    ),
    DemoGood(
        "STRAW-GLASS-4", "2000000000046", "Glass straws, four and a brush", "29.00", "490.00",
        "15600000004", 118500004, 1904600004, "270500004", 170500004,
    ),
)  # fmt: skip

OZON_WAREHOUSE = "22142605386000"
OZON_FBO_WAREHOUSE = "17023"
WILDBERRIES_WAREHOUSE = "680001"
WILDBERRIES_FBO_WAREHOUSE = "507"
ALLEGRO_WAREHOUSE = ""
ALLEGRO_FBO_WAREHOUSE = "one"

# Toys: they open nothing but the stand-in on this machine.
DEMO_KEYS: dict[str, dict[str, str]] = {
    ALLEGRO: {"client_id": "demo-shop-allegro", "client_secret": "demo-secret"},
    OZON: {"client_id": "100001", "api_key": "demo-ozon-key"},
    WILDBERRIES: {"token": "demo-wildberries-token"},
}
# With it Allegro's account is connected from birth; the first call exchanges it.
DEMO_REFRESH_TOKEN = "demo-refresh-token"  # noqa: S105 - see above
