"""Alerts: one open one for each event and subject, in the transaction of what caused it."""

import threading
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from monitoring.errors import NotRegistered
from monitoring.models import Alert
from monitoring.registry import Event, register_event
from monitoring.selectors import alerts_waiting_for_dispatch, open_alerts
from monitoring.services.alerts import AlertText, acknowledge, notify, notify_many, resolve
from monitoring.severity import Severity
from tests.monitoring.conftest import LATE, LOW
from users.models import User

pytestmark = pytest.mark.django_db


def test_an_alert_holds_what_was_said() -> None:
    before = timezone.now()
    notify(event=LOW, subject="milk", message="Milk is low", details={"needed": Decimal("1.500")})

    alert = Alert.objects.get()
    assert (alert.event, alert.severity, alert.subject, alert.message) == (LOW, "warning", "milk", "Milk is low")
    assert (alert.details, alert.count) == ({"needed": "1.500"}, 1)
    assert before <= alert.created_at == alert.last_seen_at <= timezone.now()
    assert (alert.acknowledged_at, alert.resolved_at, alert.dispatched_at) == (None, None, None)


def test_an_open_alert_counts_and_takes_the_newer_text() -> None:
    notify(event=LOW, subject="milk", message="Milk is low", details={"left": "5"})
    first = Alert.objects.get()
    notify(event=LOW, subject="milk", message="Milk is very low", details={"left": "1"})

    alert = Alert.objects.get()
    assert (alert.pk, alert.count, alert.message, alert.details) == (first.pk, 2, "Milk is very low", {"left": "1"})
    assert alert.created_at == first.created_at
    assert alert.last_seen_at > first.last_seen_at


def test_another_subject_or_event_is_another_alert() -> None:
    notify(event=LOW, subject="milk", message="m")
    notify(event=LOW, subject="tea", message="m")
    notify(event=LATE, subject="milk", message="m")
    notify(event=LATE, message="m")

    assert sorted(Alert.objects.values_list("event", "subject", "severity")) == [
        (LATE, "", "critical"),
        (LATE, "milk", "critical"),
        (LOW, "milk", "warning"),
        (LOW, "tea", "warning"),
    ]


def test_many_are_one_statement() -> None:
    notify(event=LOW, subject="1", message="old")

    with CaptureQueriesContext(connection) as queries:
        notify_many(event=LOW, alerts=[AlertText(str(number), f"m{number}", {"n": number}) for number in range(50)])

    assert len(queries) == 1
    assert Alert.objects.count() == 50
    assert Alert.objects.get(subject="1").count == 2
    assert Alert.objects.get(subject="49").details == {"n": 49}


def test_a_subject_named_twice_counts_twice_and_the_last_text_stays() -> None:
    notify_many(event=LOW, alerts=[AlertText("milk", "a"), AlertText("tea", "b"), AlertText("milk", "c")])

    assert list(Alert.objects.order_by("subject").values_list("subject", "message", "count")) == [
        ("milk", "c", 2),
        ("tea", "b", 1),
    ]


def test_none_is_no_statement() -> None:
    with CaptureQueriesContext(connection) as queries:
        notify_many(event=LOW, alerts=[])
        assert resolve(event=LOW, subjects=[]) == 0

    assert len(queries) == 0


@pytest.mark.parametrize("text", ["a % b", "'; DROP TABLE monitoring_alert; --", '{NULL,"a"}', "чай 🧋\n\\N", ""])
def test_any_text_is_kept_as_it_is(text: str) -> None:
    notify(event=LOW, subject=text, message=text, details={"text": text})

    alert = Alert.objects.get()
    assert (alert.subject, alert.message, alert.details) == (text, text, {"text": text})


def test_a_translated_message_is_kept_as_a_text() -> None:
    notify(event=LOW, message=_("warning"))

    assert Alert.objects.get().message == "warning"


def test_an_unknown_event_is_a_mistake_and_writes_nothing() -> None:
    for call in (
        lambda: notify(event="test.unknown", message="m"),
        lambda: notify_many(event="test.unknown", alerts=[]),
        lambda: resolve(event="test.unknown", subjects=["a"]),
    ):
        with pytest.raises(NotRegistered):
            call()

    assert Alert.objects.count() == 0


def test_a_resolved_alert_is_over_and_the_next_one_is_new() -> None:
    notify(event=LOW, subject="milk", message="first")
    assert resolve(event=LOW, subjects=["milk", "tea"]) == 1
    assert resolve(event=LOW, subjects=["milk"]) == 0

    notify(event=LOW, subject="milk", message="second")

    first, second = Alert.objects.order_by("pk")
    assert (first.resolved_at is None, second.resolved_at is None) == (False, True)
    assert (first.message, first.count, second.message, second.count) == ("first", 1, "second", 1)


def test_resolving_closes_only_what_was_named() -> None:
    for event in (LOW, LATE):
        notify_many(event=event, alerts=[AlertText("milk", "m"), AlertText("tea", "m"), AlertText("cup", "m")])

    with CaptureQueriesContext(connection) as queries:
        assert resolve(event=LOW, subjects=["tea", "milk"]) == 2

    assert len(queries) == 1
    assert sorted(open_alerts().values_list("event", "subject")) == [
        (LATE, "cup"),
        (LATE, "milk"),
        (LATE, "tea"),
        (LOW, "cup"),
    ]


def test_who_acknowledged_first_stays() -> None:
    first, second = (User.objects.create_user(f"{name}@example.com") for name in ("first", "second"))
    notify_many(event=LOW, alerts=[AlertText("milk", "m"), AlertText("tea", "m")])
    milk, tea = Alert.objects.order_by("subject")

    assert acknowledge(alert_ids=[milk.pk], user=first) == 1
    assert acknowledge(alert_ids=[milk.pk, tea.pk], user=second) == 1

    assert list(Alert.objects.order_by("subject").values_list("acknowledged_by__email", flat=True)) == [
        "first@example.com",
        "second@example.com",
    ]


def test_a_rolled_back_transaction_has_never_alerted() -> None:
    notify(event=LOW, subject="tea", message="kept")
    with transaction.atomic():
        notify(event=LOW, subject="tea", message="lost")
        notify(event=LOW, subject="milk", message="lost")
        transaction.set_rollback(True)

    assert list(Alert.objects.values_list("subject", "message", "count")) == [("tea", "kept", 1)]


def test_the_outbox_is_what_was_not_sent_the_oldest_first() -> None:
    notify_many(event=LOW, alerts=[AlertText("a", "m"), AlertText("b", "m"), AlertText("c", "m")])
    Alert.objects.filter(subject="b").update(dispatched_at=timezone.now())
    resolve(event=LOW, subjects=["c"])

    assert [alert.subject for alert in alerts_waiting_for_dispatch()] == ["a", "c"]


def test_open_alerts_show_the_latest_news_first() -> None:
    notify_many(event=LOW, alerts=[AlertText("a", "m"), AlertText("b", "m")])
    Alert.objects.filter(subject="a").update(last_seen_at=timezone.now() + timedelta(minutes=1))

    assert [alert.subject for alert in open_alerts()] == ["a", "b"]


def test_the_database_itself_keeps_one_open_alert() -> None:
    notify(event=LOW, subject="milk", message="m")

    with pytest.raises(IntegrityError), transaction.atomic():
        Alert.objects.create(event=LOW, severity=Severity.INFO, subject="milk", message="m")


def in_threads(*functions: Callable[[], Any]) -> None:
    """Runs the functions at the same time, each with a connection of its own; raises the first error."""
    errors: list[BaseException] = []

    def run(function: Callable[[], Any]) -> None:
        try:
            function()
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[function]) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
        assert not thread.is_alive()
    if errors:
        raise errors[0]


@pytest.mark.django_db(transaction=True)
def test_two_connections_that_alert_of_one_thing_make_one_alert() -> None:
    written, may_commit = threading.Event(), threading.Event()

    def first() -> None:
        with transaction.atomic():
            notify(event=LOW, subject="milk", message="first")
            written.set()
            assert may_commit.wait(timeout=30)

    def second() -> None:
        assert written.wait(timeout=30)
        assert Alert.objects.count() == 0
        # Waits for the first at the unique index; lets it go on a moment before.
        may_commit.set()
        notify(event=LOW, subject="milk", message="second")

    in_threads(first, second)

    assert list(Alert.objects.values_list("message", "count")) == [("second", 2)]


@pytest.mark.django_db(transaction=True)
def test_after_a_first_that_rolls_back_the_second_alert_stands() -> None:
    written, may_end = threading.Event(), threading.Event()

    def first() -> None:
        with transaction.atomic():
            notify(event=LOW, subject="milk", message="first")
            written.set()
            assert may_end.wait(timeout=30)
            transaction.set_rollback(True)

    def second() -> None:
        assert written.wait(timeout=30)
        may_end.set()
        notify(event=LOW, subject="milk", message="second")

    in_threads(first, second)

    assert list(Alert.objects.values_list("message", "count")) == [("second", 1)]


@pytest.mark.django_db(transaction=True)
def test_while_one_resolves_it_the_other_opens_a_new_one() -> None:
    notify(event=LOW, subject="milk", message="old")
    resolved, may_commit = threading.Event(), threading.Event()

    def first() -> None:
        with transaction.atomic():
            resolve(event=LOW, subjects=["milk"])
            resolved.set()
            assert may_commit.wait(timeout=30)

    def second() -> None:
        assert resolved.wait(timeout=30)
        may_commit.set()
        notify(event=LOW, subject="milk", message="new")

    in_threads(first, second)

    assert list(open_alerts().values_list("message", "count")) == [("new", 1)]
    assert Alert.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_crowds_of_subjects_in_any_order_never_lock_each_other_out() -> None:
    subjects = [str(number) for number in range(40)]
    together = threading.Barrier(8)

    def alert(order: list[str]) -> Callable[[], None]:
        def run() -> None:
            together.wait(timeout=30)
            for _round in range(5):
                notify_many(event=LOW, alerts=[AlertText(subject, "m") for subject in order])

        return run

    def close(order: list[str]) -> Callable[[], None]:
        def run() -> None:
            together.wait(timeout=30)
            for _round in range(5):
                resolve(event=LOW, subjects=order)

        return run

    in_threads(
        *[alert(subjects), alert(subjects[::-1])] * 3,
        close(subjects),
        close(subjects[::-1]),
    )

    assert sum(Alert.objects.values_list("count", flat=True)) == 6 * 5 * 40


def test_an_event_that_keeps_the_first_goes_on_counting_with_its_words() -> None:
    register_event(Event("test.error", Severity.ERROR, "An error", keeps_first=True))

    notify(event="test.error", message="the first", details={"trace": 1}, count=3)
    notify(event="test.error", message="the second", details={"trace": 2})

    alert = Alert.objects.get()
    assert (alert.message, alert.details, alert.count) == ("the first", {"trace": 1}, 4)
