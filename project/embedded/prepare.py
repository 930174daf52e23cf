"""What of a start needs Django: the tables are brought up to date, the demo shop filled, or the setup code kept.

Both in one process, because loading Django takes longer than either does on a second start.
"""

import os
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command


def main() -> None:
    django.setup()
    call_command("migrate", interactive=False, verbosity=0)
    if os.environ.get("DEMO") != "0":
        call_command("load_demo", if_empty=True)
    # The models are ready only now.
    from project.first_run.code import keep_code  # noqa: PLC0415
    from users.models import User  # noqa: PLC0415

    keep_code(Path(settings.VAR_DIR) / "setup-code", is_needed=not User.objects.exists())


if __name__ == "__main__":
    main()
