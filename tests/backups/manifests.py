"""Backups that are a manifest and nothing else: enough for what only asks about them."""

import datetime
from typing import Any

from backups.engine.manifest import Kind, Manifest
from backups.engine.repository import Repository, Stored

MOMENT = datetime.datetime(2026, 11, 1, 12, 30, tzinfo=datetime.UTC)


def stored(repository: Repository, kind: Kind = Kind.LOGICAL, **more: Any) -> Stored:
    backup_id, partial = repository.begin(kind)
    values = {"started_at": MOMENT, "completed_at": MOMENT, "server_version": 180006, "size": 2048, **more}
    return repository.finish(
        partial, Manifest(id=backup_id, kind=kind, system_identifier="7", database="shop", **values)
    )
