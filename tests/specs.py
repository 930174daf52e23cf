"""Where the marketplaces' published specifications are: they are not part of the shop.

In SAMOVAR_SPECS, or in shared/specs beside the checkout.
"""

import os
from pathlib import Path

BESIDE_THE_CHECKOUT = Path(__file__).resolve().parents[2] / "shared" / "specs"
ALLEGRO = "allegro/swagger.yaml"
OZON = "ozon/swagger-2026-04.json"
# Four operations that are newer than that file.
NEWER_OZON = "ozon/newer-operations.json"
WILDBERRIES = tuple(f"wildberries/{name}.yaml" for name in ("03-orders-fbs", "02-items", "01-general", "11-analytics"))


def folder() -> Path:
    return Path(os.environ.get("SAMOVAR_SPECS") or BESIDE_THE_CHECKOUT)


def no_specs() -> str | None:
    """Why they are missing, or None."""
    is_there = all((folder() / name).is_file() for name in (ALLEGRO, OZON, NEWER_OZON, *WILDBERRIES))
    return None if is_there else f"the marketplaces' specifications are not in {folder()} (see SAMOVAR_SPECS)"
