"""What was made up for the trial cluster of this folder, and stays the same: passwords, ports, where its data is."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

from foundation.programs.account import Account
from project.embedded.cluster.node import Ports, choose_ports
from project.embedded.cluster.passwords import Passwords
from project.embedded.errors import CannotStart
from project.embedded.home import OWNER, new_home
from project.embedded.places import write_private


@dataclass
class ClusterFile:
    """The content of `var/cluster/cluster.json`. `home` is the folder of the nodes, "" before the first start."""

    home: str = ""
    passwords: Passwords = field(default_factory=Passwords)
    ports: dict[str, Ports] = field(default_factory=choose_ports)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Returns what `path` holds, or a new one if there is no such file.

        Raises:
            CannotStart: the file is damaged.
        """
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            return cls(
                home=content["home"],
                passwords=Passwords(**content["passwords"]),
                ports={name: Ports(**ports) for name, ports in content["ports"].items()},
            )
        except FileNotFoundError:
            return cls()
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise CannotStart(f"{path} is damaged: delete {path.parent} to begin a new cluster.") from error

    def save(self, path: Path) -> None:
        write_private(path, json.dumps(asdict(self), indent=2) + "\n")

    def home_of(self, folder: Path, account: Account | None) -> Path:
        """Returns the folder of the nodes: `folder` itself, or root's own one, which is made at the first start.

        Raises:
            CannotStart: it is gone, or belongs to another cluster.
        """
        if not self.home:
            home = folder if account is None else new_home(account, owner=folder, prefix="samovar-cluster-")
            self.home = str(home)
            return home
        home = Path(self.home)
        owner = home / OWNER
        is_ours = home == folder or (owner.is_file() and owner.read_text(encoding="utf-8").strip() == str(folder))
        if not home.is_dir() or not is_ours:
            raise CannotStart(
                f"The cluster of this folder was kept in {home}, which is gone or another folder's: delete {folder} to "
                f"begin a new one."
            )
        return home
