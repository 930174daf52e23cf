"""The people of the demo shop. All of them are invented.

The telephone numbers lie in ranges that are kept free for fiction: +44 7700 900xxx by the British regulator,
+1 xxx 555 01xx by the American numbering plan. The e-mail addresses end in domains that nobody can own.
"""

import datetime
from dataclasses import dataclass

from project.demo.places import CHATUCHAK, SIAM
from users.choices import Role


@dataclass(frozen=True, slots=True)
class Worker:
    """Somebody who works here. With a `role`, they have an account; `left_days_ago` is None for who still does.

    `pay` is baht a month, or an hour if `by_the_hour`; those who were raised had `before` until half a year ago. With
    a `pin` they open the counter.
    """

    name: str
    position: str
    location: str
    hired_days_ago: int
    left_days_ago: int | None = None
    role: Role | None = None
    pay: int = 0
    by_the_hour: bool = False
    before: int = 0
    pin: str = ""


@dataclass(frozen=True, slots=True)
class Guest:
    """Somebody who buys. `born` is None for who did not say."""

    name: str
    phone: str
    email: str = ""
    born: datetime.date | None = None
    consent: bool = False
    notes: str = ""


def email_of(role: Role) -> str:
    """The address with which the demo account of a role signs in."""
    return f"{role}@samovar.example"


WORKERS = (
    Worker("Anong Srisai", "Owner", SIAM, 1460, role=Role.ADMIN, pay=60_000),
    Worker("Napat Wongsakul", "Manager", SIAM, 910, role=Role.MANAGER, pay=38_000, before=34_000),
    Worker("Kanya Boonmee", "Barista", SIAM, 400, role=Role.BARISTA, pay=17_500, before=16_000, pin="1234"),
    Worker("Иван Орлов", "Barista", SIAM, 150, pay=85, by_the_hour=True, pin="2580"),
    Worker("Oliver Hughes", "Barista", SIAM, 520, left_days_ago=45, pay=16_500),
    Worker("Somchai Rattanakul", "Shift lead", CHATUCHAK, 700, pay=21_000, before=19_000, pin="4321"),
    Worker("มาลี ทองชัย", "Barista", CHATUCHAK, 230, pay=16_000),
    Worker("Ben Carter", "Barista", CHATUCHAK, 60, pay=80, by_the_hour=True),
)

GUESTS = (
    Guest("Ploy Chaiyasit", "+44 7700 900101", email_of(Role.CUSTOMER), datetime.date(1998, 4, 13), consent=True),
    Guest("ณัฐวุฒิ ศรีสุข", "+44 7700 900102", "nattawut@example.com", datetime.date(1991, 11, 2), consent=True),
    Guest("Мария Соколова", "+44 7700 900103", "maria.sokolova@example.com", datetime.date(1989, 3, 8), consent=True),
    Guest("James Whitfield", "+1 202 555 0104", "james.whitfield@example.com"),
    Guest("พิมพ์ชนก แก้วใส", "+44 7700 900105", "pimchanok@example.com", datetime.date(2001, 7, 19)),
    Guest("Алексей Воронов", "+44 7700 900106", "alexey.voronov@example.com", consent=True),
    Guest("Sophie Laurent", "+44 7700 900107", "sophie.laurent@example.com", datetime.date(1995, 1, 27)),
    Guest("ธนกร วัฒนชัย", "+44 7700 900108", notes="Always asks for less ice."),
    Guest("Dara Phommachanh", "+44 7700 900109", "dara@example.com", consent=True),
    Guest("Екатерина Лебедева", "+44 7700 900110", "k.lebedeva@example.com", datetime.date(1993, 12, 30)),
    Guest("Marco Bianchi", "+44 7700 900111", "marco.bianchi@example.com", consent=True),
    Guest("กมลวรรณ ใจดี", "+44 7700 900112", "kamonwan@example.com", datetime.date(1999, 5, 5), consent=True),
    Guest("Hannah Schneider", "+1 212 555 0113", "hannah.schneider@example.com"),
    Guest("Дмитрий Зайцев", "+44 7700 900114", notes="Orders for the office next door."),
    Guest("Nguyễn Thị Lan", "+44 7700 900115", "lan.nguyen@example.com", datetime.date(1997, 9, 9), consent=True),
    Guest("ศิริพร มั่นคง", "+44 7700 900116", "siriporn@example.com"),
    Guest("Emily O’Connor", "+1 415 555 0117", "emily.oconnor@example.com", datetime.date(1990, 6, 21)),
    Guest("Ольга Мельникова", "+44 7700 900118", "olga.melnikova@example.com", consent=True),
    Guest("Wei Zhang", "+44 7700 900119", "wei.zhang@example.com", datetime.date(2000, 2, 14)),
    Guest("ปิติ สุขใจ", "+44 7700 900120", notes="Allergic to egg: no pudding."),
)
