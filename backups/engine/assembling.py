"""Making a cluster's folder out of a backup, and of those that it builds upon."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from backups.engine import files
from backups.engine.children import run_tool
from backups.engine.manifest import Kind
from backups.engine.programs import find_programs
from backups.engine.repository import Repository, Stored
from backups.errors import Damaged, Interrupted, NotWritable, UnknownBackup, WrongVersion

SPARE_MB = 100
STAGE = gettext_noop("Putting the cluster's files together")

# A server does not start without them, and copies that go file by file lose what is empty.
FOLDERS = (
    "base",
    "global",
    "pg_commit_ts",
    "pg_dynshmem",
    "pg_logical/mappings",
    "pg_logical/snapshots",
    "pg_multixact/members",
    "pg_multixact/offsets",
    "pg_notify",
    "pg_replslot",
    "pg_serial",
    "pg_snapshots",
    "pg_stat",
    "pg_stat_tmp",
    "pg_subtrans",
    "pg_tblspc",
    "pg_twophase",
    "pg_wal/archive_status",
    "pg_xact",
)
# Some systems keep them elsewhere, so that they are not in the copy; empty ones mean the defaults.
SETTINGS = ("postgresql.conf", "pg_hba.conf", "pg_ident.conf")


def assemble(
    repository: Repository,
    stored: Stored,
    target: Path,
    *,
    progress: Callable[[str, float | None], None] = lambda stage, share: None,
    is_stopped: Callable[[], bool] = lambda: False,
) -> None:
    """Makes `target` a cluster as it was copied, which recovers when it is started.

    Args:
        target: a folder that is not there, or is empty. It is closed to everybody but its owner.

    Raises Damaged (a backup that this one builds upon is gone), WrongVersion, Interrupted, DiskIsFull, NotWritable,
    NoPrograms, ToolFailed. What was begun is removed then.
    """
    links = chain(repository, stored)
    was_there = target.is_dir()
    if was_there and any(target.iterdir()):
        raise NotWritable(target, _("it is not empty"))
    files.make_folder(target)
    try:
        size = sum(files.size_of(link.data) for link in links)
        files.need_room(target, size // files.MEGABYTE + SPARE_MB)
        progress(STAGE, 0.0)
        if len(links) == 1:
            _copy(stored.data, target, size, progress, is_stopped)
        else:
            _combine(links, target, is_stopped)
        for name in FOLDERS:
            (target / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in SETTINGS:
            (target / name).touch(mode=0o600)
        target.chmod(0o700)
    except BaseException as error:
        shutil.rmtree(target, ignore_errors=True)
        if was_there:
            files.make_folder(target)
        if isinstance(error, OSError):
            raise files.trouble(error, target) from error
        raise
    progress(STAGE, 1.0)


def chain(repository: Repository, stored: Stored) -> list[Stored]:
    """The backups that this one is made of, the full one first. Raises Damaged."""
    links = [stored]
    while base_id := links[0].manifest.base_id:
        try:
            base = repository.get(base_id)
        except UnknownBackup as error:
            raise Damaged(
                _("The backup %(id)s can't be used: %(base)s, which it builds upon, is gone.")
                % {"id": stored.id, "base": base_id}
            ) from error
        # A manifest that was tampered with could lead in a circle.
        if base.manifest.kind != Kind.PHYSICAL or base.id in {link.id for link in links}:
            raise Damaged(
                _("The backup %(id)s can't be used: it can't build upon %(base)s.") % {"id": stored.id, "base": base_id}
            )
        links.insert(0, base)
    return links


def _copy(
    source: Path,
    target: Path,
    size: int,
    progress: Callable[[str, float | None], None],
    is_stopped: Callable[[], bool],
) -> None:
    done = 0
    for name, folders, names in os.walk(source):
        here = target / Path(name).relative_to(source)
        for folder in folders:
            (here / folder).mkdir(mode=0o700)
        for file in names:
            if is_stopped():
                raise Interrupted(_("It was stopped."))
            shutil.copyfile(Path(name, file), here / file)
            (here / file).chmod(0o600)
            done += (here / file).stat().st_size
        progress(STAGE, min(done / max(size, 1), 1.0))


def _combine(links: list[Stored], target: Path, is_stopped: Callable[[], bool]) -> None:
    major = links[-1].manifest.server_version // 10_000
    programs = find_programs(server_major=major)
    if programs.major != major:
        raise WrongVersion(
            _("The backup is of PostgreSQL %(backup)d: its parts can be joined by the tools of that version alone, and "
              "these are of %(tools)d. Name the folder of the others in PG_PROGRAMS.")
            % {"backup": major, "tools": programs.major}
        )  # fmt: skip
    run_tool(
        # Nothing is synced: a server syncs its folder before it recovers.
        [programs.path("pg_combinebackup"), "--no-sync", f"--output={target}", *(str(link.data) for link in links)],
        environment={"LC_ALL": "C"},
        folder=target.parent,
        is_stopped=is_stopped,
    )
