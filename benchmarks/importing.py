"""`python -m benchmarks.importing ACCOUNT`: imports the stock of one account and says what it took, as JSON.

A process of its own, so that its memory is that of an import and nothing else.
"""

import json
import os
import sys
import time
import uuid
from pathlib import Path

import django


def main(account_id: str) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    django.setup()
    from marketplaces.models import MarketplaceStock  # noqa: PLC0415 (models need the settings)
    from marketplaces.services.stock_import import import_stock  # noqa: PLC0415

    started = time.perf_counter()
    run = import_stock(account_id=uuid.UUID(account_id))
    told = {
        "seconds": time.perf_counter() - started,
        "memory": largest_memory(),
        "stored": MarketplaceStock.objects.filter(account_id=account_id).count(),
        "status": run.status,
        "message": f"{run.message} {run.problems[:3]}",
    }
    sys.stdout.write(json.dumps(told))


def largest_memory() -> float:
    """The most memory that this process has held, in MB. Not `ru_maxrss`: that begins with what its parent held."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("the system does not say how much memory a process has held")


if __name__ == "__main__":
    main(sys.argv[1])
