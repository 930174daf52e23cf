"""Room on the disks of this machine, as metrics."""

from collections.abc import Iterable

from monitoring.disk import disks
from monitoring.registry import LabelValues, Metric, register_metric


def register() -> None:
    """Called once, when the apps are ready."""
    for metric in (
        Metric(
            "samovar_disk_free_bytes",
            "Free space on each disk that the shop writes to.",
            ("disk",),
            free,
            needs_database=False,
        ),
        Metric("samovar_disk_size_bytes", "Size of these disks.", ("disk",), size, needs_database=False),
    ):
        register_metric(metric)


def free() -> Iterable[tuple[LabelValues, float]]:
    for disk in disks():
        yield {"disk": disk.name}, disk.free


def size() -> Iterable[tuple[LabelValues, float]]:
    for disk in disks():
        yield {"disk": disk.name}, disk.total
