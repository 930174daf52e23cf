"""The scheduler of beat: a timetable that stands in the database, and outlives its absence."""

import datetime
from typing import Any

import structlog
from django.db import DatabaseError, InterfaceError
from django_celery_beat.models import PeriodicTask
from django_celery_beat.schedulers import DatabaseScheduler, ModelEntry

from backups.services.timetable import SET_BY_HAND
from foundation.database.lost import is_lost, reason_of
from foundation.database.waiting import let_go
from monitoring.services.heartbeats import BEAT, Pulse

SCHEDULES = {field for _kind, _model, field in ModelEntry.model_schedules}
LONG_AGO = datetime.datetime.min.replace(tzinfo=datetime.UTC)

logger = structlog.get_logger("project.beat")


class Entry(ModelEntry):
    """A line of the timetable. What somebody has set stays when beat starts, which brings all else up to date with the
    settings."""

    @classmethod
    def from_entry(cls, name: str, app: Any = None, **entry: Any) -> "Entry":
        fields = cls._unpack_fields(**entry)
        if PeriodicTask.objects.filter(name=name, description=SET_BY_HAND).exists():
            fields = {key: value for key, value in fields.items() if key not in SCHEDULES}
        task, _is_new = PeriodicTask.objects.update_or_create(name=name, defaults=fields)
        return cls(task, app=app)


class PatientScheduler(DatabaseScheduler):
    """Goes on by the timetable that it knows while the database is away. The original ends then, every five minutes:
    when it reads all of it again. While it ticks, it gives signs of life."""

    Entry = Entry
    pulse: Pulse | None = None

    def tick(self, *args: Any, **kwargs: Any) -> Any:
        if self.pulse is None:
            self.pulse = Pulse(BEAT)
        self.pulse.give()
        return super().tick(*args, **kwargs)

    def close(self) -> None:
        if self.pulse is not None:
            self.pulse.end()
        super().close()

    def all_as_schedule(self) -> dict[str, Any]:
        try:
            return dict(super().all_as_schedule())
        except (DatabaseError, InterfaceError) as error:
            if self._schedule is None or not is_lost(error):
                raise
            logger.warning("timetable_not_read", reason=reason_of(error))
            let_go()
            # So that any change is newer, and all is read again at the next look and not in five minutes.
            self._last_timestamp = LONG_AGO
            return self._schedule
