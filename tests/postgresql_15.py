"""Where the programs of PostgreSQL 15 are, the oldest that the shop runs on."""

from pathlib import Path

# As Debian and its relatives install it, and as those of Red Hat do.
FOLDERS = (Path("/usr/lib/postgresql/15/bin"), Path("/usr/pgsql-15/bin"))


def programs_of_15() -> Path | None:
    """The folder of initdb and postgres, None where it is not installed."""
    return next((folder for folder in FOLDERS if (folder / "initdb").is_file()), None)


def no_postgresql_15() -> str | None:
    return None if programs_of_15() else "PostgreSQL 15 is not installed (postgresql-15)"
