"""`manage.py receive_wal`: receives the WAL until it is stopped. The agent starts it."""

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from backups.engine.receiver import receive_wal
from backups.engine.repository import Repository
from backups.engine.server import Server
from backups.errors import BackupFailed, Busy


class Command(BaseCommand):
    help = "Receives the WAL into BACKUP_DIR/wal until it is stopped (used by backup_agent)."
    requires_system_checks: Any = ()

    def handle(self, **options: Any) -> None:
        stopped = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_arguments: stopped.set())
        try:
            receive_wal(Repository.of_the_shop(), Server.of_the_shop(), is_stopped=stopped.is_set)
        except BackupFailed as failure:
            raise CommandError(str(failure)) from None
        except Busy as refusal:
            raise CommandError(refusal.detail) from None
