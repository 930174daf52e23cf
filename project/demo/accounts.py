"""The demo accounts: made up at the first start, and kept in a file that only its owner may read.

The file and the database agree after every crash. The accounts are written to a file beside it first; then
the database commits them; then the file takes its place. A start that finds the file beside it asks the
database which of the two happened, and finishes or undoes it.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from project.demo.people import email_of
from users.choices import Role
from users.models import User
from users.services.passwords import random_password


@dataclass(frozen=True, slots=True)
class Account:
    """How somebody of a role signs in."""

    role: str
    email: str
    password: str


def invent_accounts() -> list[Account]:
    """One account for each role, with random passwords. Nothing is written."""
    return [Account(role.value, email_of(role), random_password()) for role in Role]


@dataclass(frozen=True, slots=True)
class AccountsFile:
    """The file `path`: `[{"role", "email", "password"}, …]`, mode 0600."""

    path: Path

    @property
    def draft(self) -> Path:
        """What is not known to be committed yet."""
        return self.path.with_name(self.path.name + ".draft")

    def write_draft(self, accounts: Sequence[Account]) -> None:
        """Before the transaction: writes the accounts beside the file."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.draft.unlink(missing_ok=True)
        with os.fdopen(os.open(self.draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            json.dump([asdict(account) for account in accounts], file, ensure_ascii=False, indent=2)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())

    def confirm(self) -> None:
        """After the commit: the accounts are there, and so is their file."""
        self.draft.replace(self.path)

    def discard(self) -> None:
        """After a rollback, or before an empty shop is filled: what the files name is not there."""
        self.draft.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)

    def settle(self) -> None:
        """Finishes what an earlier run was killed in: its accounts were committed all together or not at all."""
        try:
            accounts = [Account(**entry) for entry in json.loads(self.draft.read_text(encoding="utf-8"))]
        except FileNotFoundError:
            return
        except (ValueError, TypeError):
            accounts = []
        users = User.objects.in_bulk([account.email for account in accounts], field_name="email")
        if any(
            account.email in users and users[account.email].check_password(account.password) for account in accounts
        ):
            self.confirm()
        else:
            self.draft.unlink()
