"""Erases again, after a restore, whoever had been erased before it."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from orders.models import OrderEvent
from orders.services.actor import Actor
from orders.services.erasing import erased_people, remember_erased, repeat_erasures


class Command(BaseCommand):
    help = (
        "Erases the data of every person who was erased before, where a restore has brought it back. The list of them "
        "is in the database and goes back with it: write it to a file before a restore and read it afterwards."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--write", metavar="FILE", help="only write the list (ids, dates and reasons) to this file")
        parser.add_argument("--read", metavar="FILE", help="take the list in this file as well, then erase")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["write"]:
            people = erased_people()
            Path(options["write"]).write_text(json.dumps(people, indent=1), encoding="utf-8")
            self.stdout.write(
                _("%(number)d erased persons are in %(file)s.") % {"number": len(people), "file": options["write"]}
            )
            return
        if options["read"]:
            try:
                remember_erased(json.loads(Path(options["read"]).read_text(encoding="utf-8")))
            except (OSError, ValueError, KeyError, TypeError) as error:
                raise CommandError(
                    _("%(file)s is no list of erased persons: %(why)s") % {"file": options["read"], "why": error}
                ) from error
        done = repeat_erasures(actor=Actor(None, OrderEvent.Door.COMMAND))
        self.stdout.write(_("Erased again: %(number)d.") % {"number": len(done.erased) + done.elsewhere})
        for pk, refusal in done.refused.items():
            self.stderr.write(_("Customer %(id)d: %(why)s") % {"id": pk, "why": refusal.detail})
        if done.refused:
            raise CommandError(_("Some could not be erased. Do what is said above and run this again."))
