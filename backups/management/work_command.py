"""What the commands of backups share: work that is done at the terminal, for the day when the site is down."""

import os
from collections.abc import Mapping
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from backups.engine.jobs import Job, JobKind, JobStatus, carry_out, new_job
from backups.engine.repository import Repository
from backups.errors import BackupFailed, Busy
from backups.services.index import try_to_refresh
from backups.services.work import doing, work_of


class WorkCommand(BaseCommand):
    """Needs neither the web server nor a worker, and no database unless the work itself does."""

    requires_system_checks: Any = ()

    def work(self, kind: JobKind, arguments: Mapping[str, Any], *, reason: str = "") -> Job:
        """Does the work in this process, showing its stages. Raises CommandError with the sentence of what failed."""
        try:
            repository = Repository.of_the_shop()
            job = new_job(kind, arguments=arguments, by="terminal", reason=reason)
            with repository.lock("work", doing=doing(job)):
                carry_out(repository, job, work_of(repository, tell=self.tell), pid=os.getpid())
        except BackupFailed as failure:
            raise CommandError(str(failure)) from None
        except Busy as refusal:
            raise CommandError(refusal.detail) from None
        try_to_refresh(repository=repository)
        if job.status != JobStatus.DONE:
            for finding in job.result.get("findings", []):
                self.stderr.write(str(finding))
            raise CommandError(job.error)
        return job

    def tell(self, stage: str) -> None:
        self.stdout.write(f"{stage} …")

    def confirm(self, loss: str, options: Mapping[str, Any]) -> None:
        """Asks at the terminal; raises CommandError for anything but yes."""
        if not options["yes"]:
            self.stdout.write(self.style.WARNING(loss))
            if input("Write yes to go on: ").strip().lower() != "yes":
                raise CommandError("Nothing was changed.")

    def say_taken_over(self, result: Mapping[str, Any]) -> None:
        """What came of a swap, and the way back."""
        self.stdout.write(self.style.SUCCESS(f"{result['database']} is what was restored now."))
        if result["kept"]:
            self.stdout.write(f"The database from before is kept as {result['kept']}: manage.py swap_back")
        for account in result["accounts"]:
            self.stdout.write(f"The seller account {account} only reads until you let it write again.")
        for pk, why in result["erasures_refused"].items():
            self.stdout.write(self.style.ERROR(f"The customer {pk} could not be erased again: {why}"))
