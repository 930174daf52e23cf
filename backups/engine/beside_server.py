"""What makes a copied data folder a server that recovers beside the running one: its settings, who may enter, and
what its words mean when it gives up."""

import datetime
import os
import re
import shutil
from pathlib import Path

import structlog
from django.utils.translation import gettext as _

from backups.engine.children import FULL, run_tool, telling_line
from backups.engine.feeding import COMMAND
from backups.engine.programs import Programs
from backups.engine.targets import Target, in_utc
from backups.engine.wal_names import Segment
from backups.errors import BackupFailed, Damaged, DiskIsFull, Interrupted, ToolFailed, WrongTarget, WrongVersion

logger = structlog.get_logger("backups.recovery")

# Nothing of the original's configuration is taken over: it may name folders, archives and libraries of another machine.
# The folder is thrown away afterwards, so speed comes before safety.
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "restore_command": COMMAND,
    "recovery_target_timeline": "latest",
    # Nobody looks in before the end, so that the original's max_connections and their like need not be met.
    "hot_standby": "off",
    "max_connections": "50",
    # 64 prepared transactions of the original would be taken up; more than that where it allows more.
    "max_prepared_transactions": "64",
    "max_locks_per_transaction": "256",
    "track_commit_timestamp": "on",
    "archive_mode": "off",
    "max_wal_senders": "0",
    # A subscription of the original must not begin to fetch.
    "max_logical_replication_workers": "0",
    "autovacuum": "off",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "replica",
    "max_wal_size": "256MB",
    "logging_collector": "off",
    "log_destination": "stderr",
    "log_min_messages": "warning",
    "log_line_prefix": "%m [%p] ",
    "log_timezone": "UTC",
    "timezone": "UTC",
    "lc_messages": "C",
}
# Whoever can reach the socket is in: its folder is closed to everybody but this account.
ACCESS = "local all all trust\n"
PREPARED = re.compile(r"^max_prepared_xacts setting:\s+(\d+)$", re.MULTILINE)
LAST_COMMIT = re.compile(r"last completed transaction was at log time (\S+ \S+)")
UNREACHED = "recovery ended before configured recovery target was reached"
# One of its processes: it ends itself then.
KILLED = re.compile(r"process \(PID \d+\) was terminated by signal 9")
TOO_EARLY = re.compile("requested recovery stop point is before consistent recovery point")
NO_CHILD = re.compile("is not a child of this server's history|does not contain minimum recovery point")
ENDS_EARLY = re.compile("WAL ends before (?:end of online backup|consistent recovery point)")
UNFIT = re.compile("database files are incompatible with server|was initialized by PostgreSQL version")
BROKEN = re.compile(
    r"has wrong size|could not locate (?:a valid|required) checkpoint record|invalid page|could not read block"
    r"|is from different database system|invalid contents|invalid data in file|could not find redo location"
    r"|could not open file|incorrect checksum in control file"
)


def configure(data: Path, *, target: Target, programs: Programs, socket: Path, port: int, folder: Path) -> None:
    """Writes the configuration of the server in `data`, in place of what the original brought along.

    Raises Damaged for a folder that is no cluster's, and for tablespaces.
    """
    # They would be the running server's own folders.
    if any(path.is_symlink() for path in (data / "pg_tblspc").glob("*")):
        raise Damaged(_("The backup has tablespaces outside of its folder: Samovar can't recover those beside."))
    try:
        said = run_tool(
            [programs.path("pg_controldata"), "-D", str(data)],
            environment={"PATH": os.defpath, "LC_ALL": "C"},
            folder=folder,
        )
    except ToolFailed as error:
        raise Damaged(_("The backup is damaged: %(why)s") % {"why": error}) from error
    prepared = int(match[1]) if (match := PREPARED.search(said.words)) else 0
    chosen = {
        **SETTINGS,
        "port": str(port),
        "unix_socket_directories": str(socket),
        "max_prepared_transactions": str(max(prepared, int(SETTINGS["max_prepared_transactions"]))),
        **target.settings(),
    }
    (data / "postgresql.conf").write_text(
        "".join(f"{name} = {quoted(value)}\n" for name, value in chosen.items()), encoding="utf-8"
    )
    (data / "postgresql.auto.conf").write_text("")
    (data / "pg_hba.conf").write_text(ACCESS)
    (data / "pg_ident.conf").write_text("")
    for name in ("standby.signal", "postmaster.pid", "postmaster.opts"):
        (data / name).unlink(missing_ok=True)
    # A slot would keep WAL for somebody who will never come.
    for slot in (data / "pg_replslot").glob("*"):
        shutil.rmtree(slot)
    (data / "recovery.signal").write_text("")
    data.chmod(0o700)


def quoted(value: str) -> str:
    """A value as configuration files write it."""
    escaped = value.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"


def last_commit(words: str) -> datetime.datetime | None:
    """The commit that the server's log names as the last one that it took over."""
    found = LAST_COMMIT.findall(words)
    return datetime.datetime.fromisoformat(found[-1]) if found else None


def failure_of(
    words: str,
    *,
    code: int,
    target: Target,
    folder: Path,
    reached: datetime.datetime | None,
    break_at: Segment | None,
) -> BackupFailed | WrongTarget:
    """What the exit code and the last words of a server that gave up mean. `reached` is what it got to, and `break_at`
    where the WAL breaks off although there is more behind it."""
    logger.warning("recovery_failed", code=code, words=words[-2000:])
    if code < 0 or KILLED.search(words):
        return Interrupted(_("The recovered server was killed."))
    if FULL.search(words):
        return DiskIsFull(folder)
    if UNREACHED in words:
        return unreached(target, reached=reached, break_at=break_at)
    if TOO_EARLY.search(words):
        return WrongTarget(
            _("%(target)s is before the end of the backup: begin from an older one.") % {"target": target}
        )
    if NO_CHILD.search(words):
        return WrongTarget(
            _("The backup is of a timeline that the server has left: begin from one of before or after it. (%(why)s)")
            % {"why": telling_line(words)}
        )
    if UNFIT.search(words):
        return WrongVersion(_("The versions do not go together: %(why)s") % {"why": telling_line(words)})
    if ENDS_EARLY.search(words) and break_at is not None:
        return Damaged(
            _("WAL segment %(segment)s is missing or damaged, and the backup is not whole without it.")
            % {"segment": break_at.name},
            (break_at.name,),
        )
    if ENDS_EARLY.search(words) or BROKEN.search(words):
        return Damaged(_("The backup or its WAL is damaged: %(why)s") % {"why": telling_line(words)})
    return ToolFailed(
        _("The recovered server gave up: %(why)s") % {"why": telling_line(words) or _("it said nothing.")}
    )


def unreached(target: Target, *, reached: datetime.datetime | None, break_at: Segment | None) -> WrongTarget:
    """Says up to where the WAL reaches instead."""
    until = in_utc(reached) if reached else _("the end of the backup")
    if break_at is not None:
        return WrongTarget(
            _(
                "%(target)s can't be recovered to: WAL segment %(segment)s is missing or damaged. The WAL before it "
                "reaches to %(until)s."
            )
            % {"target": target, "segment": break_at.name, "until": until}
        )
    return WrongTarget(
        _("%(target)s can't be recovered to: the WAL that was received reaches to %(until)s.")
        % {"target": target, "until": until}
    )
