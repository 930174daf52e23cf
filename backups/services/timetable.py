"""When backups are made by themselves: beat's timetable, of which people set the hours."""

import datetime
import zoneinfo
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import dates
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_celery_beat.models import CrontabSchedule, PeriodicTask
from django_celery_beat.schedulers import ModelEntry

from foundation.errors import InvalidInput
from foundation.shop import current_shop

# Stands in the description of a task whose hour somebody has set: beat leaves it as it is when it starts.
SET_BY_HAND = "Its hour was set on the page of the backups' hours."
# The names in CELERY_BEAT_SCHEDULE whose hours may be set.
LABELS = {
    "back up the tables every day": gettext_lazy("logical backup, every day"),
    "back up the tables every week": gettext_lazy("logical backup, every week"),
    "back up the server every day": gettext_lazy("physical backup, every day"),
    "back up the server every week": gettext_lazy("physical backup, every week, a full one"),
    "prove the newest backup": gettext_lazy("proof by a drill, every week"),
    "delete old backups": gettext_lazy("deleting old backups, every day"),
}
EVERY_DAY = "*"
# As cron counts them, Monday first.
WEEKDAYS = {str((number + 1) % 7): name for number, name in dates.WEEKDAYS.items()}
# As the settings may write them.
NAMES = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
# A Sunday: a day of the week is told by its distance from it.
SUNDAY, NO_DAY = datetime.date(2026, 1, 4), datetime.timedelta()

logger = structlog.get_logger("backups.timetable")


@dataclass(frozen=True, slots=True)
class Turn:
    """What is done at `at` of each day, or of the weekday `day` ("0" is Sunday), by the clocks of the shop."""

    name: str
    at: datetime.time
    day: str = EVERY_DAY

    @property
    def label(self) -> str:
        return str(LABELS[self.name])

    @property
    def is_weekly(self) -> bool:
        return self.day != EVERY_DAY


def turns() -> list[Turn]:
    """The timetable as it is; what beat has not written yet is as the settings have it."""
    tasks = PeriodicTask.objects.filter(name__in=LABELS, crontab__isnull=False).select_related("crontab")
    kept = {task.name: task.crontab for task in tasks}
    return [turn_of(name, kept.get(name) or default_of(name)) for name in LABELS]


def default_of(name: str) -> CrontabSchedule:
    return CrontabSchedule.from_schedule(settings.CELERY_BEAT_SCHEDULE[name]["schedule"])


def turn_of(name: str, kept: CrontabSchedule) -> Turn:
    """By the clocks of the shop, as they go today."""
    at = datetime.time(int(kept.hour), int(kept.minute))
    day = kept.day_of_week
    is_weekly = day != EVERY_DAY
    distance = datetime.timedelta(days=NAMES.index(day) if day in NAMES else int(day)) if is_weekly else NO_DAY
    today = datetime.datetime.now(datetime.UTC).date()
    sunday = today - datetime.timedelta(days=(today - SUNDAY).days % 7)
    moment = datetime.datetime.combine(sunday + distance, at, tzinfo=zoneinfo.ZoneInfo(str(kept.timezone)))
    here = moment.astimezone(zoneinfo.ZoneInfo(current_shop().time_zone))
    return Turn(name, here.time(), str((here.weekday() + 1) % 7) if is_weekly else EVERY_DAY)


@transaction.atomic
def set_turns(*, wanted: Iterable[Turn], by: str) -> list[Turn]:
    """Sets the hours of these, and says which have changed; beat goes by them within seconds.

    Args:
        by: who wants it, for the log.

    Raises InvalidInput for what is no turn of the timetable, and for a daily one of one weekday or a weekly one of all.
    """
    before = {turn.name: turn for turn in turns()}
    changed = [turn for turn in wanted if turn != before.get(turn.name)]
    for turn in changed:
        if turn.name not in before or turn.is_weekly != before[turn.name].is_weekly:
            raise InvalidInput.at("name", _("There is no such turn in the timetable."))
        if turn.is_weekly and turn.day not in WEEKDAYS:
            raise InvalidInput.at("day", _("There is no such day of the week."))
    for turn in changed:
        write(turn)
        logger.info("backup_hour_set", name=turn.name, at=f"{turn.at:%H:%M}", day=turn.day, by=by)
    return changed


def write(turn: Turn) -> None:
    cron: dict[str, Any] = {
        "minute": str(turn.at.minute),
        "hour": str(turn.at.hour),
        "day_of_week": turn.day,
        "day_of_month": "*",
        "month_of_year": "*",
        "timezone": current_shop().time_zone,
    }
    schedule = CrontabSchedule.objects.filter(**cron).first() or CrontabSchedule.objects.create(**cron)
    entry = settings.CELERY_BEAT_SCHEDULE[turn.name]
    fields = ModelEntry._unpack_fields(**{key: value for key, value in entry.items() if key != "task"})
    PeriodicTask.objects.update_or_create(
        name=turn.name,
        defaults={**fields, "task": entry["task"], "crontab": schedule, "description": SET_BY_HAND},
    )
