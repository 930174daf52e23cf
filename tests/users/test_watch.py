"""What monitoring learns about people, and the housekeeping that runs by the clock."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.utils import timezone

from monitoring.registry import events, metrics
from project.celery import app
from users.models import SignInCount
from users.services import accounts
from users.tasks import forget_expired_sessions, forget_old_sign_in_counts

pytestmark = pytest.mark.django_db


def test_active_accounts_are_counted_by_role(boss, person):
    gone = person("barista", email="gone@example.com")
    person("barista", email="here@example.com")
    accounts.deactivate_user(user_id=gone.pk)

    assert list(metrics.get("samovar_active_users").collect()) == [
        ({"role": "admin"}, 1.0),
        ({"role": "manager"}, 0.0),
        ({"role": "barista"}, 1.0),
        ({"role": "customer"}, 0.0),
    ]


def test_a_locked_sign_in_is_an_event():
    assert events.get("users.sign_in_locked").severity == "warning"


def test_the_tasks_forget_what_is_past_and_keep_the_rest():
    now = timezone.now()
    for days in (-1, 1):
        Session.objects.create(session_key=f"key{days}", session_data="", expire_date=now + timedelta(days=days))
        SignInCount.objects.create(counted_by="address", key="192.0.2.1", window_start=now + timedelta(days=3 * days))

    assert (forget_expired_sessions(), forget_old_sign_in_counts()) == (1, 1)
    assert (forget_expired_sessions(), forget_old_sign_in_counts()) == (0, 0)
    assert (Session.objects.get().session_key, SignInCount.objects.count()) == ("key1", 1)


def test_beat_knows_the_housekeeping():
    scheduled = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    ours = {f"users.tasks.{name}" for name in ("forget_expired_tokens", "forget_expired_sessions")}

    assert ours | {"users.tasks.forget_old_sign_in_counts"} <= scheduled
    assert ours <= set(app.tasks)
