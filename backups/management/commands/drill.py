"""`manage.py drill`: proves a backup by restoring it beside the running shop."""

from argparse import ArgumentParser
from typing import Any

from backups.engine.jobs import JobKind
from backups.management.work_command import WorkCommand


class Command(WorkCommand):
    help = (
        "Restores a backup (the newest one without an id) beside the running shop, looks whether the shop in it is "
        "right, notes how long it took, and throws it away. A backup that was never restored is not proved."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("backup", nargs="?", default="", help="the id of a backup")

    def handle(self, *, backup: str, **options: Any) -> None:
        result = self.work(JobKind.DRILL, {"backup_id": backup}).result
        self.stdout.write(
            self.style.SUCCESS(f"Backup {result['backup_id']} is proved: restored in {result['seconds']:.1f} s.")
        )
