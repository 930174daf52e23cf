"""Which backup an incremental one can build upon."""

from django.utils.translation import gettext as _

from backups.engine.manifest import Kind
from backups.engine.origin import NAME, read_origin
from backups.engine.repository import Repository, Stored
from backups.engine.server import Facts, Server
from backups.errors import Damaged, NoBase, WrongVersion

FIRST_VERSION = 17


def check_base(server: Server, facts: Facts, base: Stored) -> None:
    """Raises WrongVersion, NoBase, ServerGone where no incremental backup of this server can build upon `base`."""
    if facts.major < FIRST_VERSION:
        raise WrongVersion(
            _("PostgreSQL %(major)d makes no incremental backups: version 17 is the first. Make a full one.")
            % {"major": facts.major}
        )
    if base.manifest.kind != Kind.PHYSICAL:
        raise NoBase(base.id, _("it is not a physical one."))
    if base.manifest.server_version // 10_000 != facts.major:
        raise NoBase(base.id, _("it is of another version of PostgreSQL."))
    if base.manifest.system_identifier != facts.system_identifier:
        raise NoBase(base.id, _("it is of another server."))
    try:
        read_origin(base.data)
    except Damaged as error:
        raise NoBase(base.id, error) from error
    if server.ask("SHOW summarize_wal")[0][0] != "on":
        raise NoBase(base.id, _("the server's setting summarize_wal is off."))


def newest_base(repository: Repository, server: Server) -> Stored | None:
    """The newest backup that an incremental one can build upon, None if there is none; one that was found damaged is
    none. Raises ServerGone."""
    facts = server.facts()
    # Not by id: that of a backup is as old as the wish for it.
    for stored in sorted(repository.backups(), key=lambda one: one.manifest.started_at, reverse=True):
        if stored.state.damage or not (stored.data / NAME).is_file():
            continue
        try:
            check_base(server, facts, stored)
        except (NoBase, WrongVersion):
            continue
        return stored
    return None
