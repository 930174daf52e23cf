"""What backups refuse, and how they fail. Each says in a sentence what is wrong and what to do."""

from pathlib import Path

from django.utils.translation import gettext as _

from foundation.errors import Conflict, InvalidInput, Missing

# --- refusals: somebody asked for what can't be done, and nothing has changed ------------------------


class UnknownBackup(Missing):
    """There is no such backup."""

    def __init__(self, backup_id: object) -> None:
        super().__init__(_("There is no backup %(id)s.") % {"id": backup_id})


class UnknownJob(Missing):
    """There is no such piece of work."""

    def __init__(self, job_id: object) -> None:
        super().__init__(_("There is no work %(id)s.") % {"id": job_id})


class UnknownDatabase(Missing):
    """There is no such database on the server."""

    def __init__(self, name: str) -> None:
        super().__init__(_("The server has no database %(name)s of this shop.") % {"name": name})


class UnknownTable(Missing):
    """The backup has no such table."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(_("The backup has no table %(names)s.") % {"names": ", ".join(names)})


class DatabaseExists(Conflict):
    """A restore would need this name for its new database."""

    code = "database_exists"

    def __init__(self, name: str) -> None:
        super().__init__(_("There is a database %(name)s already. Choose another name.") % {"name": name})


class TablesInTheWay(Conflict):
    """The chosen tables are there already, or something else depends on them."""

    code = "tables_in_the_way"


class TablesMissing(Conflict):
    """The chosen tables refer to tables or rows that are not there, or are referred to."""

    code = "tables_missing"


class Busy(Conflict):
    """Another backup or restore is at it."""

    code = "busy"

    def __init__(self, doing: str) -> None:
        super().__init__(_("%(doing)s is under way. Wait until it is done.") % {"doing": doing or _("Another work")})


class WrongTarget(InvalidInput):
    """The moment can't be recovered to."""


class WrongBackup(Conflict):
    """A physical backup is not restored into the running server."""

    code = "wrong_backup"

    def __init__(self, backup_id: object) -> None:
        super().__init__(
            _("%(id)s is a physical backup: recover to a moment with it (manage.py recover --to …).")
            % {"id": backup_id}
        )


class BackupNeeded(Conflict):
    """The backup can't be deleted now."""

    code = "backup_needed"


class NotAsked(Conflict):
    """What was asked for could not be written down for the agent. `code` says why, as that of a failure does."""

    def __init__(self, failure: "BackupFailed") -> None:
        super().__init__(str(failure))
        self.code = failure.kind


class NothingRecovered(Conflict):
    """There is no recovered server to take over or to throw away."""

    code = "nothing_recovered"

    def __init__(self) -> None:
        super().__init__(_("That recovery is not done, or was thrown away. Recover once more."))


class NothingTakenOver(Conflict):
    """There is no database from before to swap back."""

    code = "nothing_taken_over"

    def __init__(self) -> None:
        super().__init__(_("Nothing was taken over by that, so there is no way back from it."))


class NoCluster(Conflict):
    """There is one server, or nobody has said where the others are."""

    code = "no_cluster"

    def __init__(self) -> None:
        super().__init__(
            _(
                "There is no cluster of databases here. deploy/cluster/ says how to get one; PATRONI_URLS names its "
                "nodes."
            )
        )


class NoAgent(Conflict):
    """Nobody would do what is asked for."""

    code = "no_agent"

    def __init__(self) -> None:
        super().__init__(_("The agent does not run, so nobody would do it. Start it: manage.py backup_agent"))


# --- failures: what was begun did not work -----------------------------------------------------------


class BackupFailed(Exception):
    """Something of a backup, a check or a restore failed; `str` is a sentence for a person. The running shop is as it
    was. `kind` is for programs and statistics."""

    kind = "failed"


class NoPrograms(BackupFailed):
    """PostgreSQL's tools are not there, or are too old for this server."""

    kind = "no_programs"


class ServerGone(BackupFailed):
    """The server does not answer, or cut the connection."""

    kind = "server_gone"


class NoReplication(BackupFailed):
    """The server's account, its pg_hba.conf or its settings do not let the database be copied or its WAL be read."""

    kind = "no_replication"

    def __init__(self, user: str, why: object) -> None:
        super().__init__(
            _(
                "The server does not let %(user)s copy it (%(why)s). Give the account the right with ALTER ROLE … "
                'REPLICATION, add a line for the database "replication" to pg_hba.conf, and have wal_level at least '
                "at replica and max_wal_senders at 5."
            )
            % {"user": user, "why": why}
        )


class NoBase(BackupFailed):
    """An incremental backup can't build upon this one. A full one can be made."""

    kind = "no_base"

    def __init__(self, base_id: str, why: object) -> None:
        super().__init__(
            _("An incremental backup can't build upon %(id)s: %(why)s Make a full one.") % {"id": base_id, "why": why}
        )


class OtherServer(BackupFailed):
    """The WAL that was received is another cluster's."""

    kind = "other_server"

    def __init__(self, folder: Path | str, found: str, asked: str) -> None:
        super().__init__(
            _(
                "%(folder)s holds the WAL of the server %(found)s, and this server is %(asked)s: its WAL is not "
                "received, because mixed none of it could be used. Set the old WAL aside, where its backups find it: "
                "manage.py receive_wal --set-aside."
            )
            % {"folder": folder, "found": found, "asked": asked}
        )


class TablesInUse(BackupFailed):
    """Somebody holds a table locked, and it was not waited for longer."""

    kind = "tables_in_use"

    def __init__(self) -> None:
        super().__init__(
            _("Somebody holds a table locked, as a migration does, and was not waited for longer. Try again later.")
        )


class DiskIsFull(BackupFailed):
    """There is no room."""

    kind = "disk_full"

    def __init__(self, folder: Path | str, *, free_mb: int | None = None, needed_mb: int | None = None) -> None:
        if free_mb is None or needed_mb is None:
            sentence = _("The disk that holds %(folder)s is full. Make room on it, then try again.")
        else:
            sentence = _(
                "The disk that holds %(folder)s has %(free)d MB left and %(needed)d MB are needed. Make room on it, "
                "then try again."
            )
        super().__init__(sentence % {"folder": folder, "free": free_mb or 0, "needed": needed_mb or 0})


class NotWritable(BackupFailed):
    """The folder can't be written to."""

    kind = "not_writable"

    def __init__(self, folder: Path | str, why: object) -> None:
        super().__init__(
            _(
                "%(folder)s can't be written to (%(why)s). Give this account the right to, or name another folder in "
                "BACKUP_DIR."
            )
            % {"folder": folder, "why": why}
        )


class Damaged(BackupFailed):
    """A file of a backup, or a WAL segment, is not what it was. `findings` name each."""

    kind = "damaged"

    def __init__(self, sentence: str, findings: tuple[str, ...] = ()) -> None:
        super().__init__(sentence)
        self.findings = findings


class WrongVersion(BackupFailed):
    """The tools, the backup and the server are of versions that do not go together."""

    kind = "wrong_version"


class ToolFailed(BackupFailed):
    """A tool of PostgreSQL ended with an error that is none of the known ones."""

    kind = "tool_failed"


class Interrupted(BackupFailed):
    """Somebody stopped it, or its process was killed."""

    kind = "interrupted"


class WrongKey(BackupFailed):
    """What is sealed opens with none of the keys, or there is no key to seal with."""

    kind = "wrong_key"


class PlaceFailed(BackupFailed):
    """A place for copies can't be reached, does not let us in, or is not named as it should be."""

    kind = "place_failed"

    def __init__(self, place: str, why: object) -> None:
        super().__init__(_("The place %(place)s: %(why)s") % {"place": place, "why": why})


class CannotRest(BackupFailed):
    """The file that tells everybody to wait can't be written."""

    kind = "cannot_rest"

    def __init__(self, file: Path | str) -> None:
        super().__init__(
            _(
                "Nobody can be told to wait, because %(file)s can't be written. Make room there and give this account "
                "the right to, or name another file in MAINTENANCE_FILE."
            )
            % {"file": file}
        )


class NotAllowed(BackupFailed):
    """The shop's account of the database lacks a right that this needs."""

    kind = "not_allowed"


class SwapFailed(BackupFailed):
    """The databases could not change places: the old one is in its place."""

    kind = "swap_failed"


class ClusterSilent(BackupFailed):
    """No Patroni of the cluster answers."""

    kind = "cluster_silent"

    def __init__(self, why: str) -> None:
        super().__init__(
            _(
                "No Patroni of the cluster answers (%(why)s). Look whether it runs on its nodes, and what "
                "PATRONI_URLS says."
            )
            % {"why": why or "–"}
        )


class AskedTooLongAgo(BackupFailed):
    """A take-over or the way back has waited for so long that it may not be meant any more."""

    kind = "asked_too_long_ago"

    def __init__(self) -> None:
        super().__init__(
            _(
                "It was asked for too long ago: the shop went on selling since. Look at what would be lost, and ask "
                "again if it is still wanted."
            )
        )


class SwitchoverRefused(BackupFailed):
    """Patroni did not give the lead to somebody else."""

    kind = "switchover_refused"


class SwitchoverLate(BackupFailed):
    """It was asked for too long ago to be still meant, or nobody leads after it."""

    kind = "switchover_late"
