"""Where the shop keeps what it makes on this machine: under `var/`, which only its owner may read."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from project.embedded.errors import CannotStart

BASE_DIR = Path(__file__).resolve().parents[2]
MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Places:
    """The files and folders of one running shop, all below `var`."""

    var: Path

    @property
    def logs(self) -> Path:
        return self.var / "log"

    @property
    def static(self) -> Path:
        """Stays empty: the static files are served from where they lie. WhiteNoise wants it to exist."""
        return self.var / "static"

    @property
    def env(self) -> Path:
        """What the settings read when the environment and `.env` say nothing."""
        return self.var / "env"

    @property
    def secrets(self) -> Path:
        return self.var / "secrets.json"

    @property
    def lock(self) -> Path:
        return self.var / "lock"

    @property
    def processes(self) -> Path:
        return self.var / "processes.json"

    @property
    def mail(self) -> Path:
        """Mails, as files, where no mail server is given."""
        return self.var / "mail"

    @property
    def metrics(self) -> Path:
        """In which the shop's programs count together for /metrics, while they run."""
        return self.var / "metrics"

    @property
    def standin(self) -> Path:
        """What the stand-in marketplaces know, and the token with which they are told to misbehave."""
        return self.var / "standin"

    @property
    def demo_accounts(self) -> Path:
        return self.var / "demo-accounts.json"

    @property
    def setup_code(self) -> Path:
        """The code with which the first account is made, while there is none."""
        return self.var / "setup-code"

    def make(self) -> None:
        """Makes the folders, readable by their owner only.

        Raises:
            CannotStart: another account started the shop here before. Root could go on, and would leave files behind
                that the other account cannot use.
        """
        if self.var.exists() and self.var.stat().st_uid != os.geteuid():
            raise CannotStart(
                f"{self.var} belongs to the account {_owner(self.var)}, which started the shop here before: start it "
                f"as that account, or move that folder away to begin anew."
            )
        make_private(self.var)
        make_private(self.logs)
        make_private(self.mail)
        self.static.mkdir(exist_ok=True)

    def make_metrics(self) -> None:
        """Makes that folder anew: what an earlier run counted is over. Only for who holds the lock."""
        shutil.rmtree(self.metrics, ignore_errors=True)
        make_private(self.metrics)


def _owner(path: Path) -> str:
    try:
        return path.owner()
    except KeyError:
        return f"number {path.stat().st_uid}"


def make_private(folder: Path) -> None:
    """Makes `folder` and closes it to everybody but its owner."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_mode & 0o077:
        folder.chmod(0o700)


def write_private(path: Path, text: str) -> None:
    """Writes `text` so that a crash leaves either the old file or the new one, and nobody else can read it."""
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def need_room(folder: Path, megabytes: int) -> None:
    """Raises CannotStart if the disk that holds `folder` has less than `megabytes` free."""
    free = shutil.disk_usage(folder).free // MEGABYTE
    if free < megabytes:
        raise CannotStart(
            f"The disk that holds {folder} is full: {free} MB are free and {megabytes} MB are needed; "
            f"free some space on it and start again."
        )
