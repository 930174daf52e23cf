"""The timetable's calls: each only writes down what the agent is to do."""

from celery import shared_task

from backups.engine.repository import Repository
from backups.services import requests
from backups.services.index import refresh_index


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
def refresh_backups() -> None:
    """Brings the tables to what the folder holds."""
    refresh_index(repository=Repository.of_the_shop())
