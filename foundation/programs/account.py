"""An account without privileges, for programs that refuse to run as root."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Account:
    """An unprivileged account."""

    name: str
    uid: int
    gid: int

    def own(self, path: Path) -> None:
        """Gives `path` (a folder with all that is in it, or a file) to this account."""
        os.chown(path, self.uid, self.gid, follow_symlinks=False)
        for folder, folders, files in os.walk(path):
            for name in folders + files:
                os.chown(os.path.join(folder, name), self.uid, self.gid, follow_symlinks=False)
