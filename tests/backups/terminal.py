"""Somebody at a terminal: the commands of manage.py, with the variables of one shop."""

import os
import subprocess
import sys
from pathlib import Path

from cryptography.fernet import Fernet

from tests.backups.cluster import Cluster
from tests.backups.real_shop import ROOT


class Terminal:
    """Commands of manage.py, with the variables of one shop."""

    def __init__(self, cluster: Cluster, folder: Path, **more: str) -> None:
        self.cluster, self.backups = cluster, folder / "backups"
        server = cluster.server
        recovery = cluster.home / "recovery"
        self.environment = {
            "PATH": os.defpath,
            "HOME": str(folder),
            "SECRET_KEY": "a",
            "FIELD_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
            "DATABASE_URL": f"postgres://{server.user}:{server.password}@{server.host}:{server.port}/{server.database}",
            "BACKUP_DIR": str(self.backups),
            "RECOVERY_DIR": str(recovery),
            "PG_PROGRAMS": str(cluster.postgres.programs),
            "MEDIA_ROOT": str(folder / "media"),
            "MAINTENANCE_FILE": str(folder / "maintenance.json"),
            "LOG_LEVEL": "ERROR",
            **more,
        }
        (folder / "media" / "products").mkdir(parents=True)
        (folder / "media" / "products" / "latte.jpg").write_bytes(b"picture")

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *arguments: str, code: int = 0) -> str:
        """What the command says; it must end with this exit code."""
        process = self.start(*arguments)
        said, _nothing = process.communicate(timeout=300)
        assert process.returncode == code, said
        return said

    def orders(self) -> int:
        number: int = self.cluster.value("SELECT count(*) FROM orders_order")
        return number


def line_with(said: str, words: str) -> str:
    """The first line that has these words in it."""
    return next(line for line in said.splitlines() if words in line)
