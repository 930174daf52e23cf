"""The two shops of the demo, and when people come."""

import datetime
import zoneinfo
from dataclasses import dataclass

NAME = "Samovar Tea"
CURRENCY = "THB"
PHONE_REGION = "TH"
SIAM = "Siam Square"
CHATUCHAK = "Chatuchak"
TIME_ZONE = "Asia/Bangkok"

OPENS_AT = datetime.time(10, 0)
AFTER_CLOSING = datetime.time(22, 20)
TILL_OPENS_AT = datetime.time(9, 45)
TILL_CLOSES_AT = datetime.time(22, 40)
DELIVERY_AT = datetime.time(8, 30)

# How many guests come in each hour from ten to ten, in proportion: after lunch, and after school and work.
GUESTS_BY_HOUR = (1, 2, 5, 5, 3, 3, 4, 5, 5, 4, 2, 1)


@dataclass(frozen=True, slots=True)
class Place:
    """A shop: its address, when its day starts and its report comes, and about how many orders it takes in a day."""

    name: str
    address: str
    day_starts_at: datetime.time
    report_at: datetime.time
    weekday_orders: int
    weekend_orders: int


PLACES = (
    Place(
        SIAM,
        "Siam Square Soi 3, Bangkok",
        day_starts_at=datetime.time(0, 0),
        report_at=datetime.time(23, 0),
        weekday_orders=26,
        weekend_orders=20,
    ),
    # The market is open late on weekends: what is sold after midnight belongs to the evening before.
    Place(
        CHATUCHAK,
        "Weekend Market, Section 27, Bangkok",
        day_starts_at=datetime.time(4, 0),
        report_at=datetime.time(9, 0),
        weekday_orders=12,
        weekend_orders=24,
    ),
)


def moment_of(day: datetime.date, time: datetime.time) -> datetime.datetime:
    """When it is `time` on `day` in Bangkok, in UTC."""
    return datetime.datetime.combine(day, time, tzinfo=zoneinfo.ZoneInfo(TIME_ZONE)).astimezone(datetime.UTC)
