"""The table that is printed, and the words about the machine."""

import os
import platform
from collections.abc import Sequence

import psutil

from benchmarks.database import setting


def machine(url: str) -> str:
    """What the figures were taken on, in a line."""
    memory = psutil.virtual_memory().total / 2**30
    load = os.getloadavg()[0]
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GB, {system()}, Python {platform.python_version()}, "
        f"PostgreSQL {setting(url, 'server_version')}, fsync {setting(url, 'fsync')}, "
        f"synchronous_commit {setting(url, 'synchronous_commit')}, load average before {load:.1f}"
    )


def system() -> str:
    """ "Debian GNU/Linux 12", where the system says so."""
    try:
        words = platform.freedesktop_os_release()
    except OSError:
        return platform.system()
    return f"{words['NAME']} {words.get('VERSION_ID', '')}".strip()


def table(rows: Sequence[tuple[str, str, str, str]], header: tuple[str, str, str, str]) -> str:
    """A Markdown table with aligned columns, to read and to paste."""
    lines = [header, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    cells = [
        "| " + " | ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)) + " |" for line in lines
    ]
    return "\n".join([cells[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *cells[1:]])
