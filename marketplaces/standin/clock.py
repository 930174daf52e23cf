"""The stand-in's time: the real one, or as far ahead of it as somebody has put it."""

import datetime
import time


class Clock:
    def __init__(self) -> None:
        self.ahead = 0.0
        self.stands_at: float | None = None

    def now(self) -> float:
        """Seconds since 1970."""
        return (time.time() if self.stands_at is None else self.stands_at) + self.ahead

    def stop(self) -> None:
        """Lets time pass only by `advance`: what is counted by the second comes out exact."""
        self.stands_at = time.time()

    def advance(self, seconds: float) -> None:
        """Lets that much time pass at once: a token ages, an interval is over."""
        self.ahead += seconds


def iso(moment: float) -> str:
    """2026-11-21T19:00:00.123Z."""
    text = datetime.datetime.fromtimestamp(moment, datetime.UTC).isoformat(timespec="milliseconds")
    return text.removesuffix("+00:00") + "Z"


def from_iso(text: str) -> float:
    """Raises ValueError for what is no moment."""
    moment = datetime.datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)).timestamp()
