"""The variables that the shop's programs get, and `var/env`, which the settings read when nothing else is said."""

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import environ

from foundation.counting_folder import VARIABLE
from project.embedded.places import BASE_DIR, write_private
from project.embedded.secrets_file import Secrets

# A shop on one's own machine has no certificate, and its static files are served as they lie. Not in `var/env`: a
# command that is run with the variables of production must not find HTTPS switched off.
LOCAL = {
    "HTTPS": "0",
    "STATICFILES_STORAGE": "django.contrib.staticfiles.storage.StaticFilesStorage",
    "WHITENOISE_USE_FINDERS": "1",
}
# Logs are UTF-8, whatever the terminal speaks.
FIXED = {"DJANGO_SETTINGS_MODULE": "project.settings", "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"}
HEADER = """\
# Written at every start of the shop, for the commands of manage.py. Your own values belong into .env.
"""


def read_dotenv(path: Path = BASE_DIR / ".env") -> None:
    """Adds what `.env` says to the environment; what is set there already stays."""
    if path.is_file():
        environ.Env.read_env(path)


def write_env(path: Path, variables: Mapping[str, str]) -> None:
    """Writes `var/env`, readable by its owner only."""
    write_private(path, HEADER + "".join(f"{name}={value}\n" for name, value in variables.items()))


def secret_variables(secrets: Secrets) -> dict[str, str]:
    return {"SECRET_KEY": secrets.secret_key, "FIELD_ENCRYPTION_KEYS": secrets.field_encryption_keys}


def log_variables(folder: Path, given: Mapping[str, str]) -> dict[str, str]:
    """Has log lines written into files in `folder`, unless another one is given."""
    return {} if given.get("LOG_DIR") else {"LOG_DIR": str(folder.absolute())}


def mail_variables(folder: Path, given: Mapping[str, str]) -> dict[str, str]:
    """Has mails written into `folder`, unless a mail server is given."""
    return {} if given.get("EMAIL_URL") else {"EMAIL_URL": f"filemail://{quote(str(folder.absolute()))}"}


def counting_variables(folder: Path) -> dict[str, str]:
    """Where the programs count together, unless another folder is given. Not for `var/env`: what somebody does beside
    the shop is none of its own work."""
    return {} if os.environ.get(VARIABLE) else {VARIABLE: str(folder.absolute())}


def for_programs(made: Mapping[str, str]) -> dict[str, str]:
    """Returns the environment of the shop's programs: what was given, and what was made up for the rest."""
    given = {name: value for name, value in os.environ.items() if value}
    if "DATABASE_URL" in made:
        # libpq reads PGOPTIONS, PGSSLMODE and more; they were meant for another server than the embedded one.
        given = {name: value for name, value in given.items() if not name.startswith("PG")}
    return LOCAL | dict(made) | given | FIXED
