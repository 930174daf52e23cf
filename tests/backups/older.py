"""A server of PostgreSQL 15, the oldest that the shop runs on, of a test's own."""

import shutil
from typing import Any

from foundation.programs.program import run_to_end
from project.embedded.places import make_private
from project.embedded.postgres import ACCESS, SETTINGS, SUPERUSER, PostgreSQL, utf8_locale
from tests.postgresql_15 import programs_of_15

# What came with a later version.
UNKNOWN = {"summarize_wal"}


class PostgreSQL15(PostgreSQL):
    """The system's programs with the settings of the embedded server, as far as they know them."""

    def __init__(self, **values: Any) -> None:
        super().__init__(**values, programs=programs_of_15())

    def run_initdb(self) -> None:
        """Its initdb takes no settings, so they are written afterwards."""
        unfinished, password = self.home / "postgres.new", self.home / "postgres.password"
        make_private(unfinished)
        password.write_text(self.password)
        if self.account:
            self.account.own(unfinished)
            self.account.own(password)
        made = run_to_end(
            [
                str(self.programs / "initdb"),
                f"--pgdata={unfinished}",
                "--encoding=UTF8",
                *utf8_locale(),
                f"--username={SUPERUSER}",
                f"--pwfile={password}",
                "--auth=scram-sha-256",
                "--no-sync",
            ],
            environment=self.environment,
            folder=self.home,
            account=self.account,
        )
        password.unlink()
        if made.returncode:
            shutil.rmtree(unfinished)
            raise AssertionError(made.stdout)
        with (unfinished / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in SETTINGS.items() if name not in UNKNOWN)
        (unfinished / "pg_hba.conf").write_text(ACCESS)
        unfinished.rename(self.data)
