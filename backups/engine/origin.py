"""Where a copied cluster comes from, as pg_basebackup's own manifest says: the cluster, the timeline, the WAL that
makes it consistent."""

import json
from dataclasses import dataclass
from pathlib import Path

from django.utils.translation import gettext as _

from backups.engine.wal_names import Segment, parse_lsn
from backups.errors import Damaged

NAME = "backup_manifest"


@dataclass(frozen=True, slots=True)
class Origin:
    """The positions between which a copy was made, on the timeline on which it ended. `system_identifier` is "" where
    the server is older than 17."""

    system_identifier: str
    start_timeline: int
    timeline: int
    start_lsn: str
    stop_lsn: str

    def start_wal(self, segment_size: int) -> str:
        """The first segment that a recovery from this copy reads."""
        return Segment.at(parse_lsn(self.start_lsn), timeline=self.start_timeline, size=segment_size).name

    def stop_wal(self, segment_size: int) -> str:
        """The segment in which the copy becomes consistent: the one of the last byte before the stop."""
        return Segment.at(parse_lsn(self.stop_lsn) - 1, timeline=self.timeline, size=segment_size).name


def read_origin(data: Path) -> Origin:
    """Reads it from a copied cluster. Raises Damaged."""
    path = data / NAME
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        ranges = sorted(values["WAL-Ranges"], key=lambda one: parse_lsn(one["Start-LSN"]))
        first, last = ranges[0], ranges[-1]
        return Origin(
            system_identifier=str(values.get("System-Identifier", "")),
            start_timeline=int(first["Timeline"]),
            timeline=int(last["Timeline"]),
            start_lsn=first["Start-LSN"],
            stop_lsn=last["End-LSN"],
        )
    except (OSError, ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise Damaged(_("%(file)s can't be read: %(why)s.") % {"file": path, "why": error}) from error
