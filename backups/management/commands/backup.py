"""`manage.py backup`: makes a backup now, and waits for it."""

from argparse import ArgumentParser
from typing import Any

from backups.engine.jobs import Job, JobKind
from backups.engine.manifest import Kind
from backups.management.work_command import WorkCommand


class Command(WorkCommand):
    help = (
        "Makes a backup now, waits for it, and says where it lies. Works without the web server, the worker and the "
        "agent. A physical one holds the whole server, and with the WAL any later moment can be recovered; a logical "
        "one holds the tables, for any version of PostgreSQL."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("kind", nargs="?", choices=list(Kind), default=Kind.PHYSICAL.value)
        parser.add_argument("--full", action="store_true", help="a physical one that builds upon no earlier one")
        parser.add_argument("--reason", default="", help="stands in the list")

    def handle(self, *, kind: str, full: bool, reason: str, **options: Any) -> None:
        job = self.work(JobKind.BACKUP, {"kind": kind, "is_full": full}, reason=reason)
        self.say_done(job)

    def say_done(self, job: Job) -> None:
        self.stdout.write(self.style.SUCCESS(f"Backup {job.result['backup_id']} is made and verified:"))
        self.stdout.write(f"  {job.result['folder']}")
