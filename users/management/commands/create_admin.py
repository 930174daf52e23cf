"""`manage.py create_admin --email …`: the first account of a shop, or the way back in."""

import getpass
import os
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import ProgrammingError

from foundation.errors import Refusal
from users import selectors
from users.choices import Role
from users.errors import EmailTaken, UserMissing
from users.models import User
from users.services import accounts
from users.services.passwords import random_password

PASSWORD_VARIABLE = "SAMOVAR_ADMIN_PASSWORD"  # noqa: S105


class Command(BaseCommand):
    help = (
        "Makes an account with the role admin. The password is asked for at the terminal, or taken from "
        f"{PASSWORD_VARIABLE}, or made with --generate."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--email", required=True, help="the e-mail that the admin signs in with")
        parser.add_argument("--name", default="", help="the admin's name")
        parser.add_argument("--generate", action="store_true", help="make a random password and print it once")
        parser.add_argument(
            "--reset-password", action="store_true", help="set a new password for the admin who has this e-mail"
        )

    def handle(self, *, email: str, name: str, generate: bool, reset_password: bool, **options: Any) -> None:
        self._refuse_early(email, reset_password=reset_password)
        password = random_password() if generate else self._given_password()
        try:
            if reset_password:
                user = self._reset(email, password)
            else:
                user = accounts.create_user(email=email, name=name, role=Role.ADMIN, password=password)
        except EmailTaken:
            raise CommandError(_taken(email)) from None
        except Refusal as refusal:
            raise CommandError(refusal.detail) from None
        done = "has a new password" if reset_password else "is an admin now"
        self.stdout.write(self.style.SUCCESS(f"{user.email} {done}."))
        if generate:
            self.stdout.write(f"Password: {password}\nIt is not shown again.")

    def _refuse_early(self, email: str, *, reset_password: bool) -> None:
        """Says what is wrong before somebody types a password for nothing."""
        try:
            user = selectors.user_by_email(email)
        except ProgrammingError:
            raise CommandError("The database has no tables yet. Run manage.py migrate first.") from None
        except UserMissing:
            if reset_password:
                raise CommandError(f"There is no account {email}. Leave --reset-password out to make it.") from None
            return
        if not reset_password:
            raise CommandError(_taken(user.email))
        if user.role != Role.ADMIN or not user.is_active:
            raise CommandError(f"{user.email} is no active admin. Only an active admin's password is reset here.")

    def _reset(self, email: str, password: str) -> User:
        return accounts.set_password(user_id=selectors.user_by_email(email).pk, password=password)

    def _given_password(self) -> str:
        if password := os.environ.get(PASSWORD_VARIABLE, ""):
            return password
        if not sys.stdin.isatty():
            raise CommandError(
                f"There is no terminal to ask for a password. Set {PASSWORD_VARIABLE}, or use --generate."
            )
        password = getpass.getpass("Password: ")
        if password != getpass.getpass("Password again: "):
            raise CommandError("The two passwords differ. Nothing has been made.")
        return password


def _taken(email: str) -> str:
    return f"{email} has an account already. Use --reset-password to set a new password for it."
