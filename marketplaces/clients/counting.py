"""Calls of the marketplaces' APIs, counted: how many, how they ended, how long they took."""

from prometheus_client import Histogram

from marketplaces.errors import MarketplaceError

REQUESTS = Histogram(
    "samovar_marketplace_request_seconds",
    "Calls of the marketplaces' APIs, each attempt.",
    ["marketplace", "outcome"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)


def count_call(*, marketplace: str, status: int | None, fault: MarketplaceError | None, seconds: float) -> None:
    """Notes one attempt; `status` is None where no answer came."""
    REQUESTS.labels(marketplace, outcome_of(status, fault)).observe(seconds)


def outcome_of(status: int | None, fault: MarketplaceError | None) -> str:
    """ok, unreachable, limited (429), refused (another 4xx), or failed: 5xx, and what can't be understood."""
    if fault is None:
        return "ok"
    if status is None:
        return "unreachable"
    if status == 429:
        return "limited"
    return "refused" if 400 <= status < 500 else "failed"
