"""How often somebody may try to sign in, give a code, or have a mail sent: so many attempts per window of time.

Every attempt counts, also the one that succeeds: only so can nobody learn from the limiter whether a password
was right. The counts live in PostgreSQL, so that they hold for all processes and machines and outlive Redis.
"""

import re
from collections.abc import Sequence
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
from users.errors import TooManyMails, TooManySignIns
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
    def of(cls, setting: str) -> "Rate":
        """The rate that the setting of this name says; raises ImproperlyConfigured."""
        return cls.parse(getattr(settings, setting), setting=setting)

    @classmethod
    def parse(cls, text: str, *, setting: str = "SIGN_IN_RATE") -> "Rate":
        """Reads "20/min", "100/hour"; raises ImproperlyConfigured for anything else."""
        match = re.fullmatch(r"([1-9]\d*)/(s|sec|second|m|min|minute|h|hour|d|day)", text)
        if match is None:
            raise ImproperlyConfigured(f"{setting} is {text!r}. Write it like 20/min or 100/hour.")
        return cls(int(match[1]), SECONDS[match[2][0]])

    def window_start(self, now: datetime) -> datetime:
        return datetime.fromtimestamp(now.timestamp() // self.seconds * self.seconds, tz=UTC)


def count_attempt(*, email: str, address: str, now: datetime) -> None:
    """Counts one attempt to sign in, and raises TooManySignIns if it is one too many.

    The count is kept whatever becomes of the attempt, so this must not be called inside a transaction that the
    refusal would roll back. The first attempt that is refused in a window also tells the staff.
    """
    rate = Rate.of("SIGN_IN_RATE")
    email = User.objects.normalize_email(email)
    with transaction.atomic():
        # The network address comes first in all of these, so that two never wait for each other in a circle.
        limits = [
            Limit(CountedBy.ADDRESS, _address_key(address), rate),
            Limit(CountedBy.EMAIL, _email_key(email), rate),
        ]
        outcome = _count(limits, now=now)
        if outcome.first_refusals:
            _tell(outcome.first_refusals, email=email, address=address, rate=rate)
    if outcome.retry_after:
        raise TooManySignIns(retry_after=outcome.retry_after)


def count_code(*, user: User, address: str, now: datetime) -> None:
    """Counts one code that somebody gives for this account, and raises TooManySignIns if it is one too many.

    Narrower than the limit of passwords: a code has six digits. Whoever gives codes knows the password, so the first
    that is refused also tells the staff. Not inside a transaction, as with `count_attempt`.
    """
    rate = Rate.of("CODE_RATE")
    with transaction.atomic():
        outcome = _count([Limit(CountedBy.CODE, str(user.pk), rate)], now=now)
        if outcome.first_refusals:
            _tell({CountedBy.EMAIL}, email=user.email, address=address, rate=rate)
    if outcome.retry_after:
        raise TooManySignIns(retry_after=outcome.retry_after)


def count_mail(*, email: str, address: str, now: datetime) -> None:
    """Counts one mail that a stranger asks for, and raises TooManyMails if it is one too many.

    Counts whether or not anybody has this e-mail, so that the limit tells nothing of it.
    """
    limits = [
        Limit(CountedBy.MAIL_FROM, _address_key(address), Rate.of("MAILS_FROM_ADDRESS_RATE")),
        Limit(CountedBy.MAIL_TO, _email_key(User.objects.normalize_email(email)), Rate.of("MAIL_RATE")),
    ]
    with transaction.atomic():
        outcome = _count(limits, now=now)
    if outcome.retry_after:
        raise TooManyMails(retry_after=outcome.retry_after)


def forget_old_counts(*, now: datetime) -> int:
    """Deletes the counts of windows long past; returns how many."""
    return SignInCount.objects.filter(window_start__lt=now - KEPT_FOR).delete()[0]


@dataclass(frozen=True)
class Limit:
    """What is counted for one attempt, and how much of it may be."""

    counted_by: CountedBy
    key: str
    rate: Rate


@dataclass(frozen=True)
class Outcome:
    """`retry_after` seconds until every limit that is reached has attempts again; 0 if none is."""

    retry_after: int
    first_refusals: set[CountedBy]


def _count(limits: Sequence[Limit], *, now: datetime) -> Outcome:
    """Counts the attempt for all of them in one statement, in their order."""
    starts = [limit.rate.window_start(now) for limit in limits]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO users_signincount AS counted (counted_by, key, window_start, count)
            SELECT counted_by, key, window_start, 1
            FROM unnest(%s::text[], %s::text[], %s::timestamptz[])
                WITH ORDINALITY AS attempt (counted_by, key, window_start, place)
            ORDER BY place
            ON CONFLICT (counted_by, key, window_start) DO UPDATE SET count = counted.count + 1
            RETURNING counted_by, count
            """,
            [[limit.counted_by.value for limit in limits], [limit.key for limit in limits], starts],
        )
        counts: dict[str, int] = dict(cursor.fetchall())
    retry_after, first_refusals = 0, set()
    for limit, start in zip(limits, starts, strict=True):
        count = counts[limit.counted_by]
        if count > limit.rate.attempts:
            window_end = start + timedelta(seconds=limit.rate.seconds)
            retry_after = max(retry_after, 1, ceil((window_end - now).total_seconds()))
        if count == limit.rate.attempts + 1:
            first_refusals.add(limit.counted_by)
    return Outcome(retry_after, first_refusals)


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


def _tell(first_refusals: set[CountedBy], *, email: str, address: str, rate: Rate) -> None:
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
