#!/usr/bin/env python
"""The command line of the shop: `python manage.py help` lists what it can do, `python manage.py up` opens the shop."""

import os
import sys


def main() -> None:
    if sys.argv[1:2] == ["up"]:
        # It makes the secrets and the database that the settings ask for, so it must not wait for the settings.
        try:
            from project.embedded.__main__ import main as run_embedded

            sys.exit(run_embedded(sys.argv[1:]))
        except KeyboardInterrupt:  # nothing was started yet
            sys.exit(130)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    from django.core.management import execute_from_command_line
    from django.db import OperationalError

    try:
        execute_from_command_line(sys.argv)
    except OperationalError as error:
        if "connection to server" not in str(error):
            raise
        sys.exit(f"The database cannot be reached; `make run` starts the embedded one. {' '.join(str(error).split())}")


if __name__ == "__main__":
    main()
