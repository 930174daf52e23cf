"""`manage.py makemessages`: Django's own, of the shop's sentences only, with small differences from run to run."""

import re
from pathlib import Path
from typing import Any

from django.core.management.commands import makemessages

NOT_OURS = [".venv", "var", "tests", "benchmarks", "deploy", "docs", "build"]


class Command(makemessages.Command):
    help = "Brings locale/ru up to date with the sentences in the code; compilemessages makes it effective."

    def handle(self, *args: Any, **options: Any) -> None:
        """Fills in what the shop wants where nothing else is asked for."""
        options["locale"] = options["locale"] or ["ru"]
        options["ignore_patterns"] += NOT_OURS
        # The file a sentence is from helps its translator; the line would change every day.
        options["add_location"] = options["add_location"] or "file"
        super().handle(*args, **options)

    def write_po_file(self, potfile: str, locale: str) -> None:
        """Leaves out the moment of the run, which would make a difference out of nothing."""
        super().write_po_file(potfile, locale)
        catalogue = Path(potfile).parent / locale / "LC_MESSAGES" / f"{self.domain}.po"
        text = catalogue.read_text(encoding="utf-8")
        catalogue.write_text(re.sub(r'"POT-Creation-Date: .*\n', "", text, count=1), encoding="utf-8")
