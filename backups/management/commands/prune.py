"""`manage.py prune`: deletes backups that are too old to be kept, and WAL that none of the kept ones needs."""

from typing import Any

from backups.engine.jobs import JobKind
from backups.management.work_command import WorkCommand


class Command(WorkCommand):
    help = (
        "Deletes backups beyond those that are kept (of logical ones 7 daily, 4 weekly and 6 monthly, of physical ones "
        "those of the last BACKUP_WAL_DAYS and the one before them; never the newest, the last proved one, a marked "
        "one, nor one that a kept one builds upon), and WAL from before the oldest physical one."
    )

    def handle(self, **options: Any) -> None:
        result = self.work(JobKind.PRUNE, {}).result
        for backup_id in result["deleted"]:
            self.stdout.write(f"Deleted {backup_id}.")
        self.stdout.write(f"{len(result['deleted'])} backups and {result['segments']} WAL segments are deleted.")
