"""`manage.py backup_agent`: the program that carries out backups and restores, and has the WAL received."""

import signal
import threading
from argparse import ArgumentParser
from contextlib import suppress
from functools import partial
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from backups.cluster.patroni import Patroni
from backups.cluster.watch import ClusterWatch
from backups.engine.agent import Agent, manage
from backups.engine.jobs import request_first_backup
from backups.engine.manifest import Kind
from backups.engine.repository import Repository
from backups.engine.server import Server
from backups.errors import BackupFailed, Busy, ServerGone
from backups.services.taking_over import is_to_be_settled, settle_swap


def put_right(repository: Repository) -> None:
    """Ends what a killed take-over has left, as soon as the server answers and nobody is at work."""
    if is_to_be_settled(repository=repository):
        with suppress(Busy, ServerGone), repository.lock("work", doing="Putting a swap right"):
            settle_swap(repository=repository, server=Server.of_the_shop())


class Command(BaseCommand):
    help = (
        "Runs until it is stopped: makes the backups that are asked for (by the timetable, in the admin, over REST) "
        "and keeps receiving the WAL. Watches the cluster, where PATRONI_URLS names one. `make run` starts it; in "
        "production one of it runs beside the web servers, on the machine that has BACKUP_DIR."
    )
    requires_system_checks: Any = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--no-wal", action="store_true", help="do not receive the WAL")

    def handle(self, *, no_wal: bool, **options: Any) -> None:
        stopped = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_arguments: stopped.set())
        try:
            repository = Repository.of_the_shop()
            if not any(one.manifest.kind == Kind.PHYSICAL for one in repository.backups()):
                # From the first day on any moment can be recovered, not only from the first night.
                request_first_backup(repository)
            agent = Agent(
                repository,
                receiver=None if no_wal else manage("receive_wal"),
                put_right=partial(put_right, repository),
                watch=ClusterWatch(repository, Patroni.of_the_shop()).run if settings.PATRONI_URLS else None,
            )
            agent.run(is_stopped=stopped.is_set)
        except BackupFailed as failure:
            raise CommandError(str(failure)) from None
        except Busy as refusal:
            raise CommandError(refusal.detail) from None
