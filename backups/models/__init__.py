"""The index of what the folder of backups holds: it can be rebuilt from there, and nothing hangs on it."""

from backups.models.backup import Backup
from backups.models.runs import RestoreRun, WalCheck

__all__ = ["Backup", "RestoreRun", "WalCheck"]
