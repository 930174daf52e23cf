"""`manage.py recover --to …`: the shop as it was at a moment, beside the running one or in its place."""

import datetime
import zoneinfo
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.db import DatabaseError
from django.utils.dateparse import parse_datetime

from backups.engine.beside import closed_recoveries
from backups.engine.jobs import Job, JobKind
from backups.engine.repository import Repository
from backups.engine.spans import recoverable_spans
from backups.errors import BackupFailed
from backups.management.work_command import WorkCommand
from backups.moments import first_second
from backups.services.order_targets import before_order
from foundation.errors import Refusal


class Command(WorkCommand):
    help = (
        "Recovers the shop to a moment, beside the running one: nothing of the running shop is changed by that. "
        "Without arguments it says which moments can be recovered to, and what was recovered already. Look at what "
        "differs, then take it over with --take-over. Works while the site is down; recovering needs no running "
        "database at all."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--to", metavar="MOMENT", help='for example "2026-11-21 18:35:07"')
        what.add_argument("--latest", action="store_true", help="to the last moment whose WAL was received")
        what.add_argument("--to-transaction", metavar="XID", type=int, help="up to and with this transaction")
        what.add_argument("--before-transaction", metavar="XID", type=int, help="just before this transaction")
        what.add_argument(
            "--before-order",
            metavar="NUMBER",
            type=int,
            help="just before this order was deleted or last changed; asks the running database",
        )
        what.add_argument("--take-over", metavar="ID", help="put what was recovered under this id in the shop's place")
        what.add_argument("--discard", metavar="ID", help="throw away what was recovered under this id")
        parser.add_argument(
            "--time-zone", default=settings.TIME_ZONE, help="of a moment that names none (default: %(default)s)"
        )
        parser.add_argument(
            "--table", action="append", default=[], help="with --take-over: only this table (several times for several)"
        )
        parser.add_argument("--reason", default="", help="stands in the list of restores")
        parser.add_argument("--yes", action="store_true", help="do not ask before taking over")

    def handle(self, **options: Any) -> None:
        if options["take_over"]:
            self.take_over(options["take_over"], options)
        elif options["discard"]:
            self.work(JobKind.DISCARD, {"recovery": options["discard"]})
            self.stdout.write(self.style.SUCCESS("It is thrown away. The shop was not touched."))
        elif arguments := self.target(options):
            self.say_recovered(self.work(JobKind.RECOVER, arguments, reason=options["reason"]))
        else:
            self.say_what_can_be_done()

    def target(self, options: dict[str, Any]) -> dict[str, Any]:
        """What the job is asked for; nothing without a target. Raises CommandError."""
        if options["latest"]:
            return {"is_latest": True, "target": "the end of the WAL"}
        if options["to_transaction"]:
            return {"xid": options["to_transaction"], "target": f"transaction {options['to_transaction']}"}
        if xid := options["before_transaction"]:
            return {"xid": xid, "is_before": True, "target": f"before transaction {xid}"}
        if options["before_order"]:
            return self.target_before_order(options["before_order"])
        if not options["to"]:
            return {}
        try:
            moment = parse_datetime(options["to"].strip())
            zone = zoneinfo.ZoneInfo(options["time_zone"])
        except (ValueError, zoneinfo.ZoneInfoNotFoundError, OSError) as error:
            raise CommandError(f"{error}") from None
        if moment is None:
            raise CommandError(f'"{options["to"]}" is no moment: write it as 2026-11-21 18:35:07.')
        return {"target": (moment if moment.tzinfo else moment.replace(tzinfo=zone)).isoformat()}

    def target_before_order(self, number: int) -> dict[str, Any]:
        try:
            found = before_order(number)
        except (Refusal, BackupFailed) as error:
            raise CommandError(str(error)) from None
        except DatabaseError as error:
            raise CommandError(f"The database can't be asked, so name a moment with --to: {error}") from None
        return {"xid": found.xid, "is_before": True, "target": str(found)}

    def say_what_can_be_done(self) -> None:
        repository = Repository.of_the_shop()
        spans = recoverable_spans(repository)
        if not spans:
            self.stdout.write("No moment can be recovered to: there is no physical backup that is whole.")
        for span in spans:
            self.stdout.write(
                f"Can be recovered: {shown(first_second(span.starts_at))} to {shown(span.ends_at)}. {span.sentence}"
            )
        for one in closed_recoveries(settings.RECOVERY_DIR):
            self.stdout.write(f"Recovered already: {one.name} ({one.target})")

    def say_recovered(self, job: Job) -> None:
        comparison = job.result["comparison"]
        self.stdout.write(self.style.SUCCESS(f"Recovered beside the shop as {job.id}."))
        if job.result["recovered_to"]:
            self.stdout.write(f"The last that was committed in it: {job.result['recovered_to']}")
        for finding in comparison["checked"]["findings"]:
            self.stdout.write(self.style.ERROR(finding))
        if comparison["orders_since_number"]:
            self.stdout.write(
                self.style.WARNING(
                    f"{comparison['orders_since_number']} orders, worth {comparison['orders_since_total']}, were "
                    "placed after that moment and are not in it."
                )
            )
        for row in comparison["tables"]:
            if row["recovered"] != row["running"]:
                self.stdout.write(f"  {row['name']}: {row['recovered']} rows, now {row['running']}")
        self.stdout.write(f"Take it over:     manage.py recover --take-over {job.id}")
        self.stdout.write(f"Throw it away:    manage.py recover --discard {job.id}")

    def take_over(self, recovery: str, options: dict[str, Any]) -> None:
        if tables := options["table"]:
            self.confirm("What is in these tables now is replaced.", options)
            arguments = {"recovery": recovery, "tables": tables}
            done = self.work(JobKind.TAKE_OVER, arguments, reason=options["reason"]).result
            self.stdout.write(self.style.SUCCESS(f"Taken over: {', '.join(done['tables'])}."))
            return
        self.confirm("What was written after the recovered moment is gone from the shop then.", options)
        result = self.work(JobKind.TAKE_OVER, {"recovery": recovery}, reason=options["reason"]).result
        self.say_taken_over(result)


def shown(at: datetime.datetime) -> str:
    return f"{at.astimezone(zoneinfo.ZoneInfo(settings.TIME_ZONE)):%Y-%m-%d %H:%M:%S %Z}"
