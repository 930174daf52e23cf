"""The index of what the folder of backups holds: it can be rebuilt from there, and nothing hangs on it. Beside it, what
recovery has to know of the shop's past."""

from backups.models.backup import Backup
from backups.models.cluster_event import ClusterEvent
from backups.models.deleted_order import DeletedOrder
from backups.models.runs import RestoreRun, WalCheck

__all__ = ["Backup", "ClusterEvent", "DeletedOrder", "RestoreRun", "WalCheck"]
