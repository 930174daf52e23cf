"""What a database can be recovered to: a moment, a transaction, a place in the WAL, a named point."""

import datetime
import re
from dataclasses import dataclass

from django.utils.translation import gettext as _

from backups.errors import WrongTarget

LSN = re.compile(r"[0-9A-F]{1,8}/[0-9A-F]{1,8}", re.IGNORECASE)
# PostgreSQL's MAXFNAMELEN, less the zero at its end.
LONGEST_NAME = 63


@dataclass(frozen=True, slots=True)
class Target:
    """Where a recovery stops: at exactly one of `time` (with a time zone), `xid` (a transaction's number), `lsn` (a
    place in the WAL) and `name` (of a restore point); or at none, see `latest` and `as_backed_up`.

    `is_inclusive`: what was committed at exactly this moment, the transaction itself, or the record at this place, is
    there too. "Just before" a transaction is its `xid`, and not inclusive.

    A recovered database holds nothing that was committed after `time`, and everything whose commit was acknowledged
    before. Of two transactions that commit in the same instant, PostgreSQL may write the one with the earlier time
    second; recovery ends before the first that is later.

    Raises WrongTarget.
    """

    time: datetime.datetime | None = None
    xid: int | None = None
    lsn: str | None = None
    name: str | None = None
    is_inclusive: bool = True
    is_latest: bool = False
    is_as_backed_up: bool = False

    def __post_init__(self) -> None:
        given = [self.time, self.xid, self.lsn, self.name, self.is_latest or None, self.is_as_backed_up or None]
        if sum(one is not None for one in given) != 1:
            raise WrongTarget(_("Name one thing to recover to: a moment, a transaction, a place in the WAL or a name."))
        if self.time is not None and self.time.tzinfo is None:
            raise WrongTarget(_("Say in which time zone %(time)s is.") % {"time": self.time})
        # The numbers below 3 are PostgreSQL's own. The upper 32 bits only count how often the others were used up.
        if self.xid is not None and not 3 <= self.xid < 2**64:
            raise WrongTarget(_("%(xid)s is no number of a transaction.") % {"xid": self.xid})
        if self.lsn is not None and not LSN.fullmatch(self.lsn):
            raise WrongTarget(_("%(lsn)s is no place in the WAL, which looks like 0/3000148.") % {"lsn": self.lsn})
        if self.name is not None and not (self.name.isprintable() and 0 < len(self.name.encode()) <= LONGEST_NAME):
            raise WrongTarget(_("%(name)s can't be the name of a restore point.") % {"name": ascii(self.name)})

    @classmethod
    def latest(cls) -> "Target":
        """Everything that the WAL holds."""
        return cls(is_latest=True)

    @classmethod
    def as_backed_up(cls) -> "Target":
        """What the backup shows by itself: the first moment at which it is whole."""
        return cls(is_as_backed_up=True)

    def __str__(self) -> str:
        """For a person, in UTC."""
        if self.time is not None:
            return in_utc(self.time)
        if self.xid is not None:
            sentence = _("transaction %(xid)s") if self.is_inclusive else _("just before transaction %(xid)s")
            return sentence % {"xid": self.xid}
        if self.lsn is not None:
            return _("place %(lsn)s of the WAL") % {"lsn": self.lsn}
        if self.name is not None:
            return _("restore point %(name)s") % {"name": self.name}
        return _("the end of the WAL") if self.is_latest else _("the backup itself")

    def settings(self) -> dict[str, str]:
        """PostgreSQL's settings that stop a recovery there."""
        named = {
            "recovery_target_time": self.time and self.time.astimezone(datetime.UTC).isoformat(),
            "recovery_target_xid": self.xid % 2**32 if self.xid is not None else None,
            "recovery_target_lsn": self.lsn,
            "recovery_target_name": self.name,
            "recovery_target": "immediate" if self.is_as_backed_up else None,
        }
        chosen = {name: str(value) for name, value in named.items() if value is not None}
        if chosen:
            chosen["recovery_target_inclusive"] = "on" if self.is_inclusive else "off"
            chosen["recovery_target_action"] = "promote"
        return chosen


def in_utc(moment: datetime.datetime) -> str:
    """As sentences name a moment: to the microsecond, which decides what is in a recovered database."""
    return f"{moment.astimezone(datetime.UTC):%Y-%m-%d %H:%M:%S.%f} UTC"
