"""Brings the tables up to date and fills the demo shop: the part of a start that needs Django.

Both in one process, because loading Django takes longer than either does on a second start.
"""

import os

import django
from django.core.management import call_command


def main() -> None:
    django.setup()
    call_command("migrate", interactive=False, verbosity=0)
    if os.environ.get("DEMO") != "0":
        call_command("load_demo", if_empty=True)


if __name__ == "__main__":
    main()
