"""`manage.py backup_job ID`: carries out what was asked for. The agent calls it; nobody has to."""

import os
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from backups.engine.agent import BUSY_EXIT
from backups.engine.jobs import JobStatus, carry_out, get_job
from backups.engine.repository import Repository
from backups.errors import Busy, UnknownJob
from backups.services.index import try_to_refresh
from backups.services.work import doing, work_of


class Command(BaseCommand):
    help = "Carries out one piece of work that was asked for (used by backup_agent)."
    requires_system_checks: Any = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("id")

    def handle(self, *, id: str, **options: Any) -> None:
        repository = Repository.of_the_shop()
        try:
            job = get_job(repository, id)
        except UnknownJob as refusal:
            raise CommandError(refusal.detail) from None
        if job.status != JobStatus.WAITING:
            return
        try:
            with repository.lock("work", doing=doing(job)):
                carry_out(repository, job, work_of(repository), pid=os.getpid())
        except Busy:
            sys.exit(BUSY_EXIT)
        finally:
            try_to_refresh(repository=repository)
