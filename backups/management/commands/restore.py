"""`manage.py restore BACKUP`: a logical backup, whole or table by table."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from backups.engine.jobs import JobKind
from backups.engine.logical import contents
from backups.engine.manifest import Kind
from backups.engine.repository import Repository
from backups.errors import Damaged, UnknownBackup, WrongBackup
from backups.management.work_command import WorkCommand


class Command(WorkCommand):
    help = (
        "Restores a logical backup: all of it in the place of the shop's database (which is kept beside, and can be "
        "swapped back with `manage.py swap_back`), or chosen tables. Without arguments it lists the backups, with a "
        "backup and --list its tables. To go back to a moment, use `manage.py recover`."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("backup", nargs="?", help="the id of a logical backup")
        parser.add_argument("--list", action="store_true", help="say which tables are in it")
        parser.add_argument("--table", action="append", default=[], help="only this table (may be given several times)")
        parser.add_argument("--reason", default="", help="stands in the list of restores")
        parser.add_argument("--yes", action="store_true", help="do not ask first")

    def handle(self, *, backup: str | None, **options: Any) -> None:
        if backup is None:
            self.say_backups()
        elif options["list"]:
            self.say_tables(backup)
        else:
            tables = options["table"]
            loss = "What is in these tables now is replaced." if tables else "What was written since is gone then."
            self.confirm(loss, options)
            arguments = {"backup_id": backup, "tables": tables}
            result = self.work(JobKind.RESTORE, arguments, reason=options["reason"]).result
            if tables:
                self.stdout.write(self.style.SUCCESS(f"Restored: {', '.join(tables)}."))
            else:
                self.say_taken_over(result)

    def say_backups(self) -> None:
        for one in Repository.of_the_shop().backups():
            proof = "proved" if one.state.proved_at else "unproved"
            at = f"{one.manifest.started_at:%Y-%m-%d %H:%M:%S UTC}"
            self.stdout.write(f"{one.id}  {one.manifest.kind:<8}  {at}  {one.manifest.size // 1024**2} MB  {proof}")

    def say_tables(self, backup: str) -> None:
        try:
            stored = Repository.of_the_shop().get(backup)
        except (UnknownBackup, Damaged) as error:
            raise CommandError(str(error)) from None
        if stored.manifest.kind != Kind.LOGICAL:
            raise CommandError(WrongBackup(backup).detail)
        for table in contents(stored):
            self.stdout.write(f"{table.name}  {table.rows} rows")
