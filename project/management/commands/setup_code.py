"""`manage.py setup_code`: prints the code with which the first account is made in the browser."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from project.first_run.code import setup_code
from users.models import User


class Command(BaseCommand):
    help = "Prints the code that the first-run page asks for. It opens nothing once the shop has an account."

    def handle(self, *args: Any, **options: Any) -> None:
        if User.objects.exists():
            raise CommandError(_("This shop has an account already: no setup code opens it."))
        self.stdout.write(setup_code())
