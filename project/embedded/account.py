"""The account that PostgreSQL and Redis run under.

PostgreSQL refuses to run as root. Started as root, the services run under an account that exists on every system
and may do nothing; its files get a folder of their own, and no permission of any other folder changes.
"""

import os
import pwd
import shutil
from pathlib import Path

from foundation.programs.account import Account
from project.embedded.errors import CannotStart

CANDIDATES = ("nobody",)


def services_account() -> Account | None:
    """Returns the account that the services must be given, or None to run them as whoever runs this.

    Raises:
        CannotStart: root started the shop and there is no account without privileges.
    """
    if os.geteuid() != 0:
        return None
    for name in CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name=name, uid=entry.pw_uid, gid=entry.pw_gid)
    raise CannotStart(
        "PostgreSQL does not run as root and there is no account named nobody: start the shop as an ordinary user, "
        "or set DATABASE_URL."
    )


def common_parent() -> Path:
    """Returns the folder in which root's services get their own one: every account may pass through it."""
    folder = Path("/var/lib")
    return folder if folder.is_dir() else Path("/var/db")


def remove(folder: Path) -> None:
    """Deletes a folder that this module's account may own."""
    shutil.rmtree(folder, ignore_errors=True)
