"""`manage.py swap_back`: the database from before a take-over, in its place again."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from backups.engine.jobs import SWAPS, JobKind, JobStatus, all_jobs
from backups.engine.repository import Repository
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
        done = [
            job
            for job in all_jobs(Repository.of_the_shop())
            if job.kind in SWAPS and job.status == JobStatus.DONE and job.result.get("kept")
        ]
        if not done:
            raise CommandError("Nothing was taken over here, so there is nothing to swap back.")
        self.confirm("What was written since the take-over is gone from the shop then.", options)
        self.say_taken_over(self.work(JobKind.SWAP_BACK, {"take_over": done[-1].id}, reason=options["reason"]).result)
