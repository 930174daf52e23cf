"""The hours of backups: as the settings have them, until somebody sets others, which beat keeps."""

import datetime
import json
import zoneinfo
from typing import Any

import pytest
from celery import current_app
from django.conf import settings
from django.test import Client
from django_celery_beat.models import PeriodicTask, PeriodicTasks

from backups.services.timetable import LABELS, Turn, set_turns, turns
from foundation.errors import InvalidInput
from foundation.shop import CurrentShop, remember_shop
from project.beat import PatientScheduler
from tests.shop import user_of

pytestmark = pytest.mark.django_db

DAILY, WEEKLY = "back up the server every day", "prove the newest backup"
PAGE = "/admin/backups/backup/hours/"


@pytest.fixture(autouse=True)
def in_bangkok() -> None:
    remember_shop(CurrentShop("Tea", "THB", "Asia/Bangkok", "TH"))


def start_beat() -> None:
    """As beat does: it writes what the settings say into the timetable."""
    for name, entry in settings.CELERY_BEAT_SCHEDULE.items():
        PatientScheduler.Entry.from_entry(name, app=current_app, **entry)


def turn(name: str) -> Turn:
    return next(one for one in turns() if one.name == name)


def test_every_turn_is_one_of_the_settings() -> None:
    assert set(LABELS) <= set(settings.CELERY_BEAT_SCHEDULE)


def test_hours_are_told_by_the_clocks_of_the_shop_also_before_beat_has_started() -> None:
    # 1:30 and Sunday 4:00 by UTC.
    before = turns()
    assert (turn(DAILY), turn(WEEKLY)) == (
        Turn(DAILY, datetime.time(8, 30)),
        Turn(WEEKLY, datetime.time(11, 0), "0"),
    )
    start_beat()
    assert turns() == before

    remember_shop(CurrentShop("Tea", "USD", "America/Los_Angeles", "US"))
    assert turn(WEEKLY).day == "6", "there it is Saturday still"


def test_what_somebody_sets_stays_when_beat_starts_again_and_is_gone_by() -> None:
    start_beat()
    before = PeriodicTasks.objects.get().last_update
    wanted = [Turn(DAILY, datetime.time(23, 15)), Turn(WEEKLY, datetime.time(5, 0), "3")]
    assert set_turns(wanted=wanted, by="ann") == wanted
    assert PeriodicTasks.objects.get().last_update > before, "beat reads its timetable anew"

    start_beat()
    assert [turn(DAILY), turn(WEEKLY)] == wanted
    task = PeriodicTask.objects.get(name=DAILY)
    assert (task.task, json.loads(task.args), task.enabled) == ("backups.tasks.back_up", ["physical", "daily"], True)
    schedule = task.schedule
    assert (schedule.tz, schedule.hour, schedule.minute) == (zoneinfo.ZoneInfo("Asia/Bangkok"), {23}, {15})
    assert PeriodicTask.objects.get(name=WEEKLY).schedule.day_of_week == {3}
    others = [one for one in turns() if one not in wanted]
    assert len(others) == 4
    assert set_turns(wanted=turns(), by="ann") == [], "what is so already is no change"


def test_what_nobody_set_follows_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    start_beat()
    task = PeriodicTask.objects.get(name=DAILY)
    PeriodicTask.objects.filter(pk=task.pk).update(crontab=PeriodicTask.objects.get(name=WEEKLY).crontab)
    start_beat()
    assert turn(DAILY) == Turn(DAILY, datetime.time(8, 30))


@pytest.mark.parametrize(
    "wrong",
    [
        Turn("check the WAL", datetime.time(1)),
        Turn(DAILY, datetime.time(1), "1"),
        Turn(WEEKLY, datetime.time(1)),
        Turn(WEEKLY, datetime.time(1), "7"),
    ],
)
def test_what_is_no_turn_is_refused_and_nothing_is_set(wrong: Turn) -> None:
    before = turns()
    with pytest.raises(InvalidInput):
        set_turns(wanted=[Turn(DAILY, datetime.time(5)), wrong], by="ann")
    assert turns() == before


def test_the_page_sets_them(client: Client) -> None:
    client.force_login(user_of("admin"))
    page = client.get(PAGE).content.decode()
    assert "By the clocks of Asia/Bangkok." in page
    assert 'value="08:30:00"' in page

    form: dict[str, Any] = {f"at_{number}": f"{one.at:%H:%M}" for number, one in enumerate(turns())}
    form |= {f"day_{number}": one.day for number, one in enumerate(turns()) if one.is_weekly}
    answer = client.post(PAGE, form | {"at_2": "06:45"}, follow=True)
    assert "The hours are set." in answer.content.decode()
    assert turn(DAILY) == Turn(DAILY, datetime.time(6, 45))

    answer = client.post(PAGE, form | {"at_2": "25:00"})
    assert "Enter a valid time." in answer.content.decode()
