"""`manage.py upgrade`: to the version of Samovar whose code lies here, with a way back."""

from argparse import ArgumentParser
from typing import Any

from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError

from backups.engine.jobs import JobKind
from backups.engine.manifest import Kind
from backups.engine.repository import Repository, Stored
from backups.management.work_command import WorkCommand

PERIOD = "upgrade"


class Command(WorkCommand):
    help = (
        "Run it when the new code is in place and its packages are installed, with the shop stopped: makes a backup of "
        "all tables, then migrates them. If something is wrong afterwards, put the old code back and run "
        "`manage.py upgrade --back`: the tables are as they were before."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--back", action="store_true", help="restore the backup of the last upgrade")
        parser.add_argument("--yes", action="store_true", help="do not ask first")

    def handle(self, *, back: bool, **options: Any) -> None:
        if back:
            self.go_back(options)
            return
        result = self.work(
            JobKind.BACKUP, {"kind": Kind.LOGICAL.value, "period": PERIOD}, reason="before an upgrade"
        ).result
        self.stdout.write(f"The tables are kept in {result['folder']}.")
        try:
            call_command("migrate", verbosity=options["verbosity"], interactive=False)
        except DatabaseError as error:
            raise CommandError(
                f"The tables could not be migrated: {str(error).strip()}\nPut the old code back and run "
                "`manage.py upgrade --back`."
            ) from error
        self.stdout.write(self.style.SUCCESS("The tables are those of this version. Start the shop."))

    def go_back(self, options: Any) -> None:
        """Restores the newest backup that an upgrade made."""
        backup = newest_of_an_upgrade(Repository.of_the_shop())
        if backup is None:
            raise CommandError("No upgrade has made a backup here, so there is nothing to go back to.")
        self.stdout.write(f"The backup is of {backup.manifest.started_at:%Y-%m-%d %H:%M:%S UTC}.")
        self.confirm("What was written since the upgrade is gone from the shop then.", options)
        arguments = {"backup_id": backup.id, "tables": []}
        self.say_taken_over(self.work(JobKind.RESTORE, arguments, reason="back from an upgrade").result)


def newest_of_an_upgrade(repository: Repository) -> Stored | None:
    return next((one for one in reversed(repository.backups()) if one.manifest.period == PERIOD), None)
