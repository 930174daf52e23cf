"""`manage.py watchdog`: the program that sends alerts."""

import signal
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from foundation.files import Held
from monitoring.spool import Spool
from monitoring.watchdog.watchdog import Watchdog


class Command(BaseCommand):
    help = (
        "Runs until it is stopped: puts alerts into messages and sends them, looks after the shop's health, and tells "
        "of a database that is away. `make run` starts it; in production one of it runs beside the web servers."
    )
    requires_system_checks: Any = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--pace", type=float, default=1.0, help="how many times faster than in earnest it looks at health (1)"
        )

    def handle(self, *, pace: float, **options: Any) -> None:
        watchdog = Watchdog(Spool.of_the_shop(), pace=pace)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_arguments: watchdog.stop())
        try:
            watchdog.run()
        except Held:
            raise CommandError(
                f"The watchdog runs already: another one has {watchdog.spool.folder}. Stop that one first."
            ) from None
        except OSError as error:
            raise CommandError(f"SPOOL_DIR can't be written to: {error.strerror} ({watchdog.spool.folder}).") from None
