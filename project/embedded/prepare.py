"""What of a start needs Django: the tables are brought up to date, the demo shop filled, or the setup code kept.

Both in one process, because loading Django takes longer than either does on a second start.
"""

import os
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command
from django.db import connection


def main() -> None:
    django.setup()
    call_command("migrate", interactive=False, verbosity=0)
    count_statements()
    if os.environ.get("DEMO") != "0":
        call_command("load_demo", if_empty=True)
    # The models are ready only now.
    from project.first_run.code import keep_code  # noqa: PLC0415
    from users.models import User  # noqa: PLC0415

    keep_code(Path(settings.VAR_DIR) / "setup-code", is_needed=not User.objects.exists())


def count_statements() -> None:
    """Has the server say which statements are slow, where it can and the shop's account may make it.

    The embedded one counts them from its first start. Of a server that somebody named, an administrator decides it.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        if cursor.fetchone() != (True,):
            return
        cursor.execute("SHOW shared_preload_libraries")
        if "pg_stat_statements" in cursor.fetchone()[0]:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")


if __name__ == "__main__":
    main()
