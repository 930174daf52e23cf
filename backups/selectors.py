"""What is asked about backups, of the folder itself: it is right also where the tables are behind."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from backups.engine.jobs import Job, all_jobs
from backups.engine.manifest import Kind
from backups.engine.receiver import ReceiverState, receiver_state
from backups.engine.repository import Repository
from backups.engine.spans import Span, recoverable_spans
from backups.errors import BackupFailed


@dataclass(frozen=True, slots=True)
class Overview:
    """What the list of backups says above itself. `spans` are the times that can be recovered to, the oldest first."""

    spans: Sequence[Span]
    receiver: ReceiverState
    under_way: Sequence[Job]
    newest_at: datetime.datetime | None
    newest_proved_at: datetime.datetime | None
    unreadable: Sequence[str]
    # Why nothing can be said: the folder can't be got at.
    trouble: str = ""


def overview() -> Overview:
    """The state of the repository. Reads files, and asks no server."""
    try:
        return overview_of(Repository.of_the_shop())
    except BackupFailed as failure:
        return Overview([], ReceiverState(), [], None, None, [], str(failure))


def overview_of(repository: Repository) -> Overview:
    """The same of any. Raises NoPrograms."""
    backups = repository.backups()
    proved = [one.state.proved_at for one in backups if one.state.proved_at is not None]
    return Overview(
        spans=recoverable_spans(repository) if any(one.manifest.kind == Kind.PHYSICAL for one in backups) else [],
        receiver=receiver_state(repository),
        under_way=[job for job in all_jobs(repository) if not job.has_ended],
        newest_at=max((one.manifest.completed_at for one in backups), default=None),
        newest_proved_at=max(proved, default=None),
        unreadable=[folder.name for folder in repository.unreadable()],
    )
