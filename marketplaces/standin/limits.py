"""How many requests a key may make: the marketplaces' limits, as they count them."""

from marketplaces.standin.clock import Clock


class Limits:
    """Leaky buckets by name: `burst` requests at once, then one every `interval` seconds."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        # When the bucket will be empty again.
        self.empty_at: dict[str, float] = {}

    def wait(self, name: str, *, interval: float, burst: int, cost: float = 1.0, penalty: float = 0.0) -> float:
        """Takes `cost` out of the bucket and returns 0, or, where it is exhausted, the seconds until it is not.

        Args:
            penalty: what a refused request costs.
        """
        now = self.clock.now()
        full_at = max(self.empty_at.get(name, now), now)
        missing = full_at + cost * interval - now - burst * interval
        if missing > 1e-9:
            self.empty_at[name] = full_at + penalty * interval
            return missing + penalty * interval
        self.empty_at[name] = full_at + cost * interval
        return 0.0

    def charge(self, name: str, *, interval: float, cost: float) -> None:
        """Takes more out of the bucket afterwards, whether or not it is there."""
        now = self.clock.now()
        self.empty_at[name] = max(self.empty_at.get(name, now), now) + cost * interval

    def reset(self) -> None:
        self.empty_at.clear()
