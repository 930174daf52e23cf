"""`manage.py swap_back`: the database from before a take-over, in its place again."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from backups.engine.jobs import JobKind
from backups.engine.kept_databases import old_databases
from backups.engine.server import Server
from backups.errors import BackupFailed
from backups.management.work_command import WorkCommand


class Command(WorkCommand):
    help = (
        "Puts the database from before the last take-over, restore or way back in its place again; the present one is "
        "kept."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--reason", default="", help="stands in the list of restores")
        parser.add_argument("--yes", action="store_true", help="do not ask first")

    def handle(self, **options: Any) -> None:
        try:
            # The server knows, also where the work that made them was killed.
            kept = old_databases(Server.of_the_shop())
        except BackupFailed as failure:
            raise CommandError(str(failure)) from None
        if not kept:
            raise CommandError("Nothing was taken over here, so there is nothing to swap back.")
        newest = kept[-1]
        self.confirm(
            f"The database {newest.name}, which served until {newest.at:%Y-%m-%d %H:%M:%S UTC}, takes its place again. "
            "What was written since is gone from the shop then.",
            options,
        )
        self.say_taken_over(self.work(JobKind.SWAP_BACK, {"kept": newest.name}, reason=options["reason"]).result)
