"""The timetable's calls: each only writes down what the agent is to do."""

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from backups.engine.repository import Repository
from backups.services import requests
from backups.services.alarms import look_after_backups
from backups.services.cluster import look_after_cluster


@shared_task
def back_up(kind: str, period: str) -> None:
    """Asks for a backup. One that waits since the last time is not doubled."""
    requests.request_backup_by_timetable(kind=kind, period=period)


@shared_task
def check_wal() -> None:
    """Asks for a look at the WAL."""
    requests.request_wal_check()


@shared_task
def drill() -> None:
    """Asks for a proof of the newest backup."""
    requests.request_drill()


@shared_task
def prune() -> None:
    """Asks for deleting what is too old."""
    requests.request_prune()


@shared_task
def watch_backups() -> None:
    """Brings the tables to what the folder holds, and tells people of what is wrong with it."""
    look_after_backups(repository=Repository.of_the_shop(), now=timezone.now())


@shared_task
def watch_cluster() -> None:
    """Brings the table to what has happened to the cluster, where there is one, and tells people."""
    if settings.PATRONI_URLS:
        look_after_cluster(repository=Repository.of_the_shop(), now=timezone.now())
