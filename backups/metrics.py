"""Backups, the WAL and the cluster as figures over time."""

import datetime
from collections.abc import Iterable

from django.conf import settings
from django.db import connection
from django.db.models import Max
from django.utils import timezone

from backups.cluster.watched import read_watched
from backups.engine.receiver_state import receiver_state
from backups.engine.repository import Repository
from backups.engine.spans import recoverable
from backups.models import Backup
from backups.selectors import overview
from backups.services.cluster import troubles_of
from monitoring.measuring.shared import asked_once
from monitoring.registry import LabelValues, Metric, register_metric

Values = Iterable[tuple[LabelValues, float]]

# What can be recovered is found by reading the archive and the end of the WAL: a second, not a query.
RARELY = 300.0


def register() -> None:
    """Called once, when the apps are ready."""
    for metric in (
        Metric("samovar_backup_age_seconds", "Seconds since the newest backup was complete.", ("kind",), backup_ages),
        Metric("samovar_backup_size_bytes", "Size of the newest backup.", ("kind",), backup_sizes),
        Metric("samovar_backup_proof_age_seconds", "Seconds since a backup was restored for proof.", (), proof_age),
        Metric(
            "samovar_recoverable_seconds",
            "Length of the newest unbroken time in which any moment can be recovered.",
            (),
            recoverable_length,
            needs_database=False,
            fresh_for=RARELY,
        ),
        Metric(
            "samovar_recoverable_age_seconds",
            "Seconds since the last moment that can be recovered.",
            (),
            recoverable_age,
            needs_database=False,
            fresh_for=RARELY,
        ),
        Metric("samovar_wal_lag_bytes", "Bytes of WAL that the server wrote and the receiver has not.", (), wal_lag),
        Metric(
            "samovar_wal_receiver_running",
            "1 while the WAL is received, else 0.",
            (),
            receiver_running,
            needs_database=False,
        ),
        Metric(
            "samovar_cluster_lag_bytes",
            "Bytes of WAL that a standby of the cluster has not received.",
            ("node",),
            cluster_lags,
            needs_database=False,
        ),
        Metric(
            "samovar_cluster_troubles",
            "What is wrong with the cluster now.",
            ("about",),
            cluster_troubles,
            needs_database=False,
        ),
    ):
        register_metric(metric)


@asked_once
def newest_backups() -> list[Backup]:
    """The newest complete one of each kind."""
    complete = Backup.objects.filter(completed_at__isnull=False)
    return list(complete.order_by("kind", "-completed_at").distinct("kind"))


def backup_ages() -> Values:
    for backup in newest_backups():
        if backup.completed_at is not None:
            yield {"kind": backup.kind}, (timezone.now() - backup.completed_at).total_seconds()


def backup_sizes() -> Values:
    for backup in newest_backups():
        yield {"kind": backup.kind}, backup.size


def proof_age() -> Values:
    proved_at = Backup.objects.aggregate(newest=Max("proved_at"))["newest"]
    if proved_at is not None:
        yield {}, (timezone.now() - proved_at).total_seconds()


@asked_once
def newest_span() -> tuple[datetime.datetime, datetime.datetime] | None:
    """The last time without a gap in which every moment can be recovered; None without any."""
    spans = recoverable(overview().spans)
    return spans[-1] if spans else None


def recoverable_length() -> Values:
    if span := newest_span():
        yield {}, (span[1] - span[0]).total_seconds()


def recoverable_age() -> Values:
    if span := newest_span():
        yield {}, max(0.0, (timezone.now() - span[1]).total_seconds())


def wal_lag() -> Values:
    """By the slot of the receiver, which has the server keep what was not received."""
    slot = receiver_state(Repository.of_the_shop()).slot
    if not slot:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT pg_wal_lsn_diff(
                CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() ELSE pg_current_wal_flush_lsn() END,
                restart_lsn
            )
            FROM pg_replication_slots WHERE slot_name = %s AND restart_lsn IS NOT NULL
            """,
            [slot],
        )
        for (lag,) in cursor.fetchall():
            yield {}, float(lag)


def receiver_running() -> Values:
    """Nothing where there never was one: such a shop has no agent."""
    state = receiver_state(Repository.of_the_shop())
    if state.since is not None:
        yield {}, state.is_running


def cluster_lags() -> Values:
    if settings.PATRONI_URLS:
        for node, lag in sorted(read_watched(Repository.of_the_shop()).lags.items()):
            yield {"node": node}, lag


def cluster_troubles() -> Values:
    if settings.PATRONI_URLS:
        for about in sorted(troubles_of(read_watched(Repository.of_the_shop()), now=timezone.now())):
            yield {"about": about}, 1
