"""Whether a physical backup is still what it was: pg_verifybackup, and what it leaves out."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from backups.engine import files
from backups.engine.children import failure_of, run_tool
from backups.engine.origin import NAME, read_origin
from backups.engine.programs import find_programs
from backups.engine.repository import Stored
from backups.errors import Damaged, Interrupted

# What pg_verifybackup passes over although a recovery reads it.
PASSED_OVER = (NAME, "postgresql.auto.conf")
WAL = "pg_wal"

# pg_verifybackup's messages about single files, by what they mean.
CHANGED = re.compile(r'checksum mismatch for file "(?P<file>.+)"$')
RESIZED = re.compile(r'"(?P<file>.+)" has size (?P<size>\d+) (?:on disk )?but size (?P<right>\d+) in the manifest$')
GONE = re.compile(r'"(?P<file>.+)" is present in the manifest but not on disk$')
STRANGE = re.compile(r'"(?P<file>.+)" is present on disk but not in the manifest$')
MESSAGE = re.compile(r"^(?:pg_verifybackup|pg_waldump): (?:error|fatal|warning|detail|hint): (?P<words>.+)$")


def verify_physical(stored: Stored, *, is_stopped: Callable[[], bool] = lambda: False) -> list[str]:
    """Reads every byte of a backup again.

    Returns a sentence for each file that is not what it was; none if it is whole. Raises Interrupted, NoPrograms.
    """
    changed = _changed_files(stored, is_stopped)
    findings = [*_unlike_the_manifest(stored), *changed.values()]
    base_id = stored.manifest.base_id
    if base_id and not stored.folder.with_name(base_id).is_dir():
        findings.append(_("The backup %(id)s, which this one builds upon, is gone.") % {"id": base_id})
    # Of a segment that is changed, its checksum has said so already.
    is_wal_whole = not any(name.startswith(f"data/{WAL}/") for name in changed)
    return findings + _said_by_the_tool(stored, is_stopped, with_wal=is_wal_whole)


def unlisted_files(folder: Path, *, is_stopped: Callable[[], bool] = lambda: False) -> dict[str, dict[str, Any]]:
    """Size and SHA-256 of the files that pg_verifybackup does not look at, for our manifest. Raises Interrupted."""
    found = {}
    for path in _unlisted(folder):
        _stop_if_asked(is_stopped)
        found[str(path.relative_to(folder))] = {"size": path.stat().st_size, "sha256": files.sha256_of(path)}
    return found


def _unlisted(folder: Path) -> Iterator[Path]:
    yield from (path for name in PASSED_OVER if (path := folder / "data" / name).is_file())
    yield from files.files_below(folder / "data" / WAL)
    if (media := folder / "media.tar").is_file():
        yield media


def _changed_files(stored: Stored, is_stopped: Callable[[], bool]) -> dict[str, str]:
    findings = {}
    listed = stored.manifest.files
    for name, values in listed.items():
        _stop_if_asked(is_stopped)
        path = stored.folder / name
        if not path.is_file():
            findings[name] = _("%(file)s is missing.") % {"file": name}
        elif (size := path.stat().st_size) != values["size"]:
            findings[name] = _resized(name, size, values["size"])
        elif files.sha256_of(path) != values["sha256"]:
            findings[name] = _changed(name)
    unlisted = (str(path.relative_to(stored.folder)) for path in _unlisted(stored.folder))
    return findings | {name: _strange(name) for name in unlisted if name not in listed}


def _unlike_the_manifest(stored: Stored) -> list[str]:
    """Our manifest against PostgreSQL's: a damaged one of ours would have a recovery look in the wrong place."""
    manifest = stored.manifest
    try:
        origin = read_origin(stored.data)
    except Damaged as error:
        return [str(error)]
    size = manifest.segment_size
    pairs = {
        "system_identifier": (manifest.system_identifier, origin.system_identifier or manifest.system_identifier),
        "timeline": (manifest.timeline, origin.timeline),
        "start_lsn": (manifest.start_lsn, origin.start_lsn),
        "stop_lsn": (manifest.stop_lsn, origin.stop_lsn),
        "start_wal": (manifest.start_wal, origin.start_wal(size) if size else ""),
        "stop_wal": (manifest.stop_wal, origin.stop_wal(size) if size else ""),
    }
    return [
        _("manifest.json says %(ours)s for %(name)s, and data/backup_manifest %(theirs)s.")
        % {"ours": ours, "name": name, "theirs": theirs}
        for name, (ours, theirs) in pairs.items()
        if ours != theirs
    ]


def _said_by_the_tool(stored: Stored, is_stopped: Callable[[], bool], *, with_wal: bool) -> list[str]:
    major = stored.manifest.server_version // 10_000
    programs = find_programs(server_major=major)
    # The WAL of another version can't be read by this one's pg_waldump.
    options = [] if with_wal and programs.major == major else ["--no-parse-wal"]
    command = [programs.path("pg_verifybackup"), "--quiet", *options, str(stored.data)]
    ended = run_tool(
        command, environment={"LC_ALL": "C"}, folder=stored.folder, is_stopped=is_stopped, accept=(0, *range(1, 126))
    )
    if ended.code == 0:
        return []
    findings = [sentence for line in ended.lines if (sentence := _sentence(line))]
    if not findings:
        raise failure_of(command, ended, stored.folder)
    return findings


def _sentence(line: str) -> str:
    """What a line of pg_verifybackup means; "" for one that means nothing."""
    match = MESSAGE.match(line)
    if match is None:
        return ""
    words = match["words"]
    if found := CHANGED.search(words):
        return _changed(f"data/{found['file']}")
    if found := RESIZED.search(words):
        return _resized(f"data/{found['file']}", int(found["size"]), int(found["right"]))
    if found := GONE.search(words):
        return _("%(file)s is missing.") % {"file": f"data/{found['file']}"}
    if found := STRANGE.search(words):
        return _strange(f"data/{found['file']}")
    return _("PostgreSQL says of the backup: %(words)s.") % {"words": words.rstrip(".")}


def _changed(name: str) -> str:
    return _("%(file)s has been changed: its checksum is wrong.") % {"file": name}


def _resized(name: str, size: int, right: int) -> str:
    return _("%(file)s has %(size)d bytes instead of %(right)d.") % {"file": name, "size": size, "right": right}


def _strange(name: str) -> str:
    return _("%(file)s does not belong to the backup.") % {"file": name}


def _stop_if_asked(is_stopped: Callable[[], bool]) -> None:
    if is_stopped():
        raise Interrupted(_("It was stopped."))
