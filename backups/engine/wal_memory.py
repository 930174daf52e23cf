"""What checks of the WAL found out, kept for the next one: digests of segments that were sound, and the broken ones.

A segment never changes, so one with another digest was damaged since, wherever the bit is; and one with the same digest
needs no second look. Lost or damaged, this memory is begun anew.
"""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backups.engine import files
from backups.engine.repository import Repository
from backups.engine.wal_names import format_lsn, parse_lsn

NAME = "wal.json"


@dataclass(slots=True)
class Memory:
    """`digests`: {file name: SHA-256} of sound segments and histories of timelines; `broken`: the names of segments
    that recovery can't go through; `reached`: up to where whole records were last seen,
    and on which timeline."""

    system_identifier: str
    digests: dict[str, str] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    reached: int = 0
    timeline: int = 1

    def save(self, repository: Repository) -> None:
        """Raises DiskIsFull, NotWritable."""
        values = {
            "system_identifier": self.system_identifier,
            "digests": self.digests,
            "broken": sorted(self.broken),
            "reached": format_lsn(self.reached),
            "timeline": self.timeline,
        }
        files.write_whole(
            path_of(repository), json.dumps({"checksum": checksum(values), **values}, indent=1, sort_keys=True)
        )


def remembered(repository: Repository, system_identifier: str) -> Memory:
    """What is known of the WAL of this cluster: nothing, if it was not checked yet or the memory is damaged."""
    try:
        values = json.loads(path_of(repository).read_text(encoding="utf-8"))
        claimed = values.pop("checksum")
        if claimed != checksum(values) or values["system_identifier"] != system_identifier:
            return Memory(system_identifier)
        reached = parse_lsn(values["reached"])
        return Memory(system_identifier, values["digests"], values["broken"], reached, values["timeline"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Memory(system_identifier)


def path_of(repository: Repository) -> Path:
    return repository.root / NAME


def checksum(values: dict[str, Any]) -> str:
    return digest(json.dumps(values, sort_keys=True).encode())


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
