"""`manage.py receive_wal`: receives the WAL until it is stopped. The agent starts it."""

import signal
import threading
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from backups.engine.receiver import receive_wal, set_aside_wal
from backups.engine.repository import Repository
from backups.engine.server import Server
from backups.errors import BackupFailed, Busy
from backups.services.copies import send_wal_along

# A place that does not answer is given up so long after the receiver has ended.
PATIENCE = 5.0


@contextmanager
def sending_along(repository: Repository) -> Iterator[None]:
    """What is received meanwhile goes to the other places too."""
    if not settings.BACKUP_PLACES:
        yield
        return
    stopped = threading.Event()
    sender = threading.Thread(
        target=send_wal_along,
        args=(repository,),
        kwargs={"stopped": stopped, "every": settings.BACKUP_WAL_SECONDS},
        daemon=True,
    )
    sender.start()
    try:
        yield
    finally:
        stopped.set()
        sender.join(PATIENCE)


class Command(BaseCommand):
    help = (
        "Receives the WAL into BACKUP_DIR/wal until it is stopped (used by backup_agent). When the shop has got a new "
        "server, the WAL of the old one is in the way: --set-aside moves it to a folder of its own, where its backups "
        "find it. Recover what is to be recovered first."
    )
    requires_system_checks: Any = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--set-aside", action="store_true", help="set the WAL of another server aside, and end")

    def handle(self, *, set_aside: bool, **options: Any) -> None:
        if set_aside:
            self.set_aside()
        else:
            self.receive()

    def set_aside(self) -> None:
        try:
            place = set_aside_wal(Repository.of_the_shop())
        except BackupFailed as failure:
            raise CommandError(str(failure)) from None
        except Busy:
            raise CommandError("The receiver of WAL runs. Stop manage.py backup_agent, then try again.") from None
        self.stdout.write(self.style.SUCCESS(f"The WAL is in {place} now. Its backups find it there."))

    def receive(self) -> None:
        stopped = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_arguments: stopped.set())
        try:
            repository = Repository.of_the_shop()
            with sending_along(repository):
                receive_wal(repository, Server.of_the_shop(), is_stopped=stopped.is_set)
        except BackupFailed as failure:
            raise CommandError(str(failure)) from None
        except Busy as refusal:
            raise CommandError(refusal.detail) from None
