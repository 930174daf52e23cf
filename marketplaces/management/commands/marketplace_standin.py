"""`manage.py marketplace_standin`: the local stand-in of the three marketplaces, as `make run` starts it."""

import argparse
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from marketplaces.standin import __main__ as program


class Command(BaseCommand):
    help = (
        "Runs a local HTTP server that speaks the interfaces of Allegro, Ozon and Wildberries, with orders of its own."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        program.add_arguments(parser)

    def handle(self, *_words: str, **options: Any) -> None:
        if code := program.run(argparse.Namespace(**options)):
            sys.exit(code)
