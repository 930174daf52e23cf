"""Segments that were damaged here and are whole again: what was sent of them to another place may be the damaged one.

    wal-mended/<segment>            a token, another one each time that it is mended
    wal-mended/<segment>@<place>    the token that this place has got

Files of their own, so that who mends and who sends need not wait for each other. A place that can't be reached today
gets the whole segment another day.
"""

import hashlib
import time
from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

from backups.engine import files
from backups.engine.repository import Repository
from backups.engine.wal_names import HISTORY_NAME, SEGMENT_NAME

NAME = "wal-mended"
# What is noted of a segment that is not in the archive any more; a younger one may just be coming.
KEPT_SECONDS = 86_400


def mended(repository: Repository, place: str) -> dict[str, str]:
    """What this place has not got since it was mended, with the token of each."""
    tokens = {path.name: _token(path) for path in _notes(repository)}
    return {name: token for name, token in tokens.items() if token and token != _token(_got(repository, name, place))}


def note_mended(repository: Repository, name: str) -> None:
    """Every place is to get this one once more. Raises DiskIsFull, NotWritable."""
    files.make_folder(repository.root / NAME)
    files.write_whole(repository.root / NAME / name, uuid4().hex)


def note_sent_again(repository: Repository, place: str, sent: Mapping[str, str]) -> None:
    """This place has got these, as they were when `mended` gave their tokens. Raises DiskIsFull, NotWritable."""
    for name, token in sent.items():
        files.write_whole(_got(repository, name, place), token)
    for path in _notes(repository):
        if not (repository.wal / path.name).exists() and time.time() - path.stat().st_mtime > KEPT_SECONDS:
            for one in (path, *path.parent.glob(f"{path.name}@*")):
                one.unlink(missing_ok=True)


def _notes(repository: Repository) -> list[Path]:
    folder = repository.root / NAME
    found = folder.iterdir() if folder.is_dir() else ()
    return sorted(path for path in found if SEGMENT_NAME.fullmatch(path.name) or HISTORY_NAME.fullmatch(path.name))


def _got(repository: Repository, name: str, place: str) -> Path:
    return repository.root / NAME / f"{name}@{hashlib.sha256(place.encode()).hexdigest()[:16]}"


def _token(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
