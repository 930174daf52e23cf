"""Recovering what a test's own server was, as the shop would: in a folder that the server's account can get to."""

import datetime
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from backups.engine.programs import Programs, programs_in
from backups.engine.recovery import Beside, recover_beside
from backups.engine.repository import Repository
from backups.engine.targets import Target
from tests.backups.cluster import Cluster


def folder_of(cluster: Cluster) -> Path:
    return cluster.home / "recovery"


def programs_of(cluster: Cluster) -> Programs:
    return programs_in(cluster.postgres.programs)


def recover(repository: Repository, cluster: Cluster, target: Target, **more: Any) -> Beside:
    return recover_beside(repository, target, folder=folder_of(cluster), programs=programs_of(cluster), **more)


@contextmanager
def left_nothing(cluster: Cluster) -> Iterator[None]:
    """Whatever happens inside, no recovery is left, and the running server goes on."""
    yield
    assert not folder_of(cluster).is_dir() or list(folder_of(cluster).iterdir()) == []
    assert cluster.value("SELECT 1") == 1


def clock(cluster: Cluster) -> datetime.datetime:
    """The moment, as the running server sees it."""
    moment: datetime.datetime = cluster.value("SELECT clock_timestamp()")
    return moment


def written(cluster: Cluster) -> None:
    """Has everything that was committed written and sent: servers of tests do not wait for that at a commit."""
    cluster.sql("CHECKPOINT")


def numbers(ask: Callable[..., list[tuple[Any, ...]]], table: str = "sales") -> list[int]:
    """The ids of the rows of a table."""
    return [number for (number,) in ask(f"SELECT id FROM {table} ORDER BY id")]


def server_of(folder: Path) -> psutil.Process:
    """The one that is being recovered there."""
    (file,) = folder.glob("*/data/postmaster.pid")
    return psutil.Process(int(file.read_text().split("\n")[0]))
