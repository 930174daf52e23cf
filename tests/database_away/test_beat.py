"""The database goes away under beat, which goes on by the timetable that it knows."""

import datetime

import pytest
from celery import Celery
from django.db import OperationalError
from django_celery_beat.models import IntervalSchedule, PeriodicTask, PeriodicTasks
from django_celery_beat.schedulers import DatabaseScheduler

from project.beat import PatientScheduler
from project.celery import app as app_of_the_shop
from tests.backups.cluster import Cluster

pytestmark = pytest.mark.slow


def scheduler_of(kind: type[DatabaseScheduler]) -> DatabaseScheduler:
    """One that has read its timetable."""
    app = Celery("test", broker="memory://", set_as_current=False)
    app.conf.result_expires = None
    every_hour, _made = IntervalSchedule.objects.get_or_create(every=1, period=IntervalSchedule.HOURS)
    PeriodicTask.objects.get_or_create(name="count the cups", defaults={"task": "count", "interval": every_hour})
    scheduler = kind(app=app)
    assert "count the cups" in scheduler.schedule
    return scheduler


def five_minutes_later(scheduler: DatabaseScheduler) -> set[str]:
    """It reads all of it again."""
    scheduler._last_full_sync -= datetime.timedelta(minutes=5)
    return set(scheduler.schedule)


def test_it_goes_on_and_reads_what_was_changed_when_the_database_is_back(away: Cluster) -> None:
    scheduler = scheduler_of(PatientScheduler)
    known = set(scheduler.schedule)
    away.kill()
    for _time in range(2):
        assert five_minutes_later(scheduler) == known
    away.start()
    PeriodicTask.objects.filter(name="count the cups").update(name="count the glasses")
    PeriodicTasks.update_changed()
    assert set(scheduler.schedule) == (known - {"count the cups"}) | {"count the glasses"}
    PeriodicTask.objects.filter(name="count the glasses").delete()


def test_the_one_that_comes_with_it_ends(away: Cluster) -> None:
    scheduler = scheduler_of(DatabaseScheduler)
    away.kill()
    with pytest.raises(OperationalError):
        five_minutes_later(scheduler)


def test_the_shops_beat_is_the_patient_one() -> None:
    assert app_of_the_shop.conf.beat_scheduler == "project.beat:PatientScheduler"
