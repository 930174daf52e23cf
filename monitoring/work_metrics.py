"""Figures of the work that is done in the background."""

from collections.abc import Iterable

from celery import current_app
from django.db.models import DurationField, ExpressionWrapper, F
from django.db.models.functions import Now

from monitoring.models import Heartbeat
from monitoring.queue import broker_connection, length_of
from monitoring.registry import LabelValues, Metric, register_metric


def register() -> None:
    """Called once, when the apps are ready."""
    register_metric(
        Metric(
            name="samovar_queue_length",
            help="Tasks that wait for a worker.",
            labels=("queue",),
            collect=queue_lengths,
            needs_database=False,
        )
    )
    register_metric(
        Metric(
            name="samovar_heartbeat_age_seconds",
            help="Seconds since a worker, beat or the watchdog last said that it lives.",
            labels=("name",),
            collect=heartbeat_ages,
        )
    )


def queue_lengths() -> Iterable[tuple[LabelValues, float]]:
    """Raises CheckFailed if the broker does not answer."""
    with broker_connection() as connection, connection.channel() as channel:
        for name in sorted(current_app.amqp.queues):
            yield {"queue": name}, length_of(connection, channel, name)


def heartbeat_ages() -> Iterable[tuple[LabelValues, float]]:
    """By the clock of the database, by which they are written."""
    age = ExpressionWrapper(Now() - F("at"), output_field=DurationField())
    for name, passed in Heartbeat.objects.annotate(age=age).values_list("name", "age"):
        yield {"name": name}, passed.total_seconds()
