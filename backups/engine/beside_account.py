"""As whom a recovered server runs, and as whom it is entered."""

import os
import pwd
from dataclasses import replace
from pathlib import Path

import psycopg2
from django.conf import settings
from django.utils.translation import gettext as _

from backups.engine.programs import Programs
from backups.engine.server import Server
from backups.errors import BackupFailed, NoPrograms, NotWritable
from foundation.programs.account import Account
from foundation.programs.program import run_to_end


def server_account() -> Account | None:
    """Whom a server runs as: None for whoever we are. Raises BackupFailed for root without such an account."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(settings.PG_ACCOUNT)
    except KeyError:
        entry = None
    if entry is None or entry.pw_uid == 0:
        raise BackupFailed(
            _("PostgreSQL does not run as root, and there is no other account %(name)s: name one in PG_ACCOUNT.")
            % {"name": settings.PG_ACCOUNT}
        )
    return Account(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid)


def try_out(programs: Programs, account: Account | None, home: Path) -> None:
    """The account must get to the programs and to the folder. Raises NoPrograms, NotWritable."""
    environment = {"PATH": os.defpath, "LC_ALL": "C"}
    # It has to come back to the folder from wherever it is.
    way = run_to_end(
        ["/bin/sh", "-c", 'cd "$1"', "sh", str(home)], environment=environment, folder=home, account=account
    )
    if way.returncode != 0:
        raise NotWritable(
            home.parent,
            _("the account %(name)s has no way to it: name another folder in RECOVERY_DIR")
            % {"name": _name_of(account)},
        )
    try:
        said = run_to_end(
            [programs.path("postgres"), "--version"], environment=environment, folder=home, account=account
        )
    except OSError as error:
        raise not_runnable(error, programs, account) from error
    if said.returncode != 0:
        raise not_runnable(said.stdout.strip()[-300:], programs, account)


def _name_of(account: Account | None) -> str:
    return account.name if account is not None else pwd.getpwuid(os.geteuid()).pw_name


def not_runnable(why: OSError | str, programs: Programs, account: Account | None) -> NoPrograms:
    return NoPrograms(
        _(
            "The account %(name)s can't run the programs in %(folder)s (%(why)s): name a folder that it can get to in "
            "PG_PROGRAMS."
        )
        % {"name": _name_of(account), "folder": programs.folder, "why": why}
    )


def superuser_of(server: Server, *, names: list[str]) -> str:
    """The name of a superuser, asked as the first of these that exists. Raises BackupFailed."""
    why = ""
    for name in dict.fromkeys(one for one in names if one):
        try:
            found = replace(server, user=name, database="template1").ask(
                "SELECT rolname FROM pg_roles WHERE rolsuper AND rolcanlogin ORDER BY oid LIMIT 1"
            )
        except (BackupFailed, psycopg2.Error) as error:
            why = str(error).strip()
            continue
        if found:
            return str(found[0][0])
    raise BackupFailed(
        _("The recovered server lets in none of the accounts %(names)s: %(why)s")
        % {"names": ", ".join(filter(None, names)), "why": why}
    )
