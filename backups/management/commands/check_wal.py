"""`manage.py check_wal`: looks at all WAL that was received."""

from typing import Any

from django.core.management.base import CommandError

from backups.engine.jobs import JobKind
from backups.management.work_command import WorkCommand


class Command(WorkCommand):
    help = (
        "Looks at every WAL segment that a recovery needs: is it there, whole, in its order, and of this server. Says "
        "which moments can be recovered to. Exit code 1 if something is wrong. Works while the database is down."
    )

    def handle(self, **options: Any) -> None:
        result = self.work(JobKind.CHECK_WAL, {}).result
        self.stdout.write(f"{result['segments']} segments were looked at.")
        for span in result["spans"]:
            self.stdout.write(f"Can be recovered: {span['start'][:19]} to {span['end'][:19]} UTC")
        for name in result.get("fetched_again", ()):
            self.stdout.write(f"{name} was broken, and has been fetched again.")
        for finding in result["findings"]:
            self.stdout.write(self.style.ERROR(f"{finding['segment']}: {finding['sentence']}"))
        if result["findings"]:
            raise CommandError(f"{len(result['findings'])} findings.")
        self.stdout.write(self.style.SUCCESS("Every segment is there and sound."))
