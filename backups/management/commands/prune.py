"""`manage.py prune`: deletes backups that are too old to be kept, and WAL that none of the kept ones needs."""

from typing import Any

from backups.engine.jobs import JobKind
from backups.management.work_command import WorkCommand


class Command(WorkCommand):
    help = (
        "Deletes backups beyond those that are kept (7 daily, 4 weekly, 6 monthly ones; never the last proved one, "
        "never one that a kept one builds upon), and WAL from before the oldest physical one."
    )

    def handle(self, **options: Any) -> None:
        result = self.work(JobKind.PRUNE, {}).result
        for backup_id in result["deleted"]:
            self.stdout.write(f"Deleted {backup_id}.")
        self.stdout.write(f"{len(result['deleted'])} backups and {result['segments']} WAL segments are deleted.")
