"""`manage.py receive_wal`: receives the WAL until it is stopped. The agent starts it."""

import signal
import threading
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from backups.engine.receiver import receive_wal, set_aside_wal
from backups.engine.repository import Repository
from backups.engine.server import Server
from backups.errors import BackupFailed, Busy


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
            receive_wal(Repository.of_the_shop(), Server.of_the_shop(), is_stopped=stopped.is_set)
        except BackupFailed as failure:
            raise CommandError(str(failure)) from None
        except Busy as refusal:
            raise CommandError(refusal.detail) from None
