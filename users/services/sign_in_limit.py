"""How often somebody may try to sign in: so many attempts per window of time, by address and by e-mail.

Every attempt counts, also the one that succeeds: only so can nobody learn from the limiter whether a password
was right. The counts live in PostgreSQL, so that they hold for all processes and machines and outlive Redis.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv6Address, ip_address
from math import ceil

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection, transaction
from django.utils.crypto import salted_hmac

from monitoring.services.alerts import notify
from users.choices import CountedBy
from users.errors import TooManySignIns
from users.models import SignInCount, User
from users.watch import SIGN_IN_LOCKED, locked_sentence

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
KEPT_FOR = timedelta(days=2)


@dataclass(frozen=True)
class Rate:
    """So many attempts in a window of so many seconds."""

    attempts: int
    seconds: int

    @classmethod
    def parse(cls, text: str) -> "Rate":
        """Reads "20/min", "100/hour"; raises ImproperlyConfigured for anything else."""
        match = re.fullmatch(r"([1-9]\d*)/(s|sec|second|m|min|minute|h|hour|d|day)", text)
        if match is None:
            raise ImproperlyConfigured(f"SIGN_IN_RATE is {text!r}. Write it like 20/min or 100/hour.")
        return cls(int(match[1]), SECONDS[match[2][0]])

    def window_start(self, now: datetime) -> datetime:
        return datetime.fromtimestamp(now.timestamp() // self.seconds * self.seconds, tz=UTC)


def count_attempt(*, email: str, address: str, now: datetime) -> None:
    """Counts one attempt to sign in, and raises TooManySignIns if it is one too many.

    The count is kept whatever becomes of the attempt, so this must not be called inside a transaction that the
    refusal would roll back. The first attempt that is refused in a window also tells the staff.
    """
    rate = Rate.parse(settings.SIGN_IN_RATE)
    window_start = rate.window_start(now)
    email = User.objects.normalize_email(email)
    with transaction.atomic():
        counts = _count(email_key=_email_key(email), address_key=_address_key(address), window_start=window_start)
        first_refusals = {counted_by for counted_by, count in counts.items() if count == rate.attempts + 1}
        if first_refusals:
            _tell(first_refusals, email=email, address=address, rate=rate)
    if max(counts.values()) > rate.attempts:
        window_end = window_start + timedelta(seconds=rate.seconds)
        raise TooManySignIns(retry_after=max(1, ceil((window_end - now).total_seconds())))


def forget_old_counts(*, now: datetime) -> int:
    """Deletes the counts of windows long past; returns how many."""
    return SignInCount.objects.filter(window_start__lt=now - KEPT_FOR).delete()[0]


def _count(*, email_key: str, address_key: str, window_start: datetime) -> dict[str, int]:
    """One statement counts both; the address comes first in all of them, so that two never wait for each other."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO users_signincount AS counted (counted_by, key, window_start, count)
            VALUES (%(by_address)s, %(address)s, %(start)s, 1), (%(by_email)s, %(email)s, %(start)s, 1)
            ON CONFLICT (counted_by, key, window_start) DO UPDATE SET count = counted.count + 1
            RETURNING counted_by, count
            """,
            {
                "by_address": CountedBy.ADDRESS.value,
                "address": address_key,
                "by_email": CountedBy.EMAIL.value,
                "email": email_key,
                "start": window_start,
            },
        )
        return dict(cursor.fetchall())


def _address_key(address: str) -> str:
    """An IPv6 customer is given 2^64 addresses: they count as one."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return ""
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:
        return f"{IPv6Address(int(parsed) >> 64 << 64)}/64"
    return str(getattr(parsed, "ipv4_mapped", None) or parsed)


def _email_key(email: str) -> str:
    return salted_hmac("users.sign_in", email, algorithm="sha256").hexdigest()


def _tell(first_refusals: set[str], *, email: str, address: str, rate: Rate) -> None:
    """Writes the notice for staff. An e-mail is named only if it is somebody's: strangers' typing is not kept."""
    details = {"address": address, "attempts": rate.attempts, "seconds": rate.seconds}
    if CountedBy.ADDRESS in first_refusals:
        notify(
            event=SIGN_IN_LOCKED,
            subject=_address_key(address),
            message=locked_sentence(details),
            details=details,
        )
    if CountedBy.EMAIL in first_refusals and User.objects.filter(email=email).exists():
        details = {**details, "email": email}
        notify(event=SIGN_IN_LOCKED, subject=email, message=locked_sentence(details), details=details)
