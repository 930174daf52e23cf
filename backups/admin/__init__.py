"""Backups in the admin."""

from backups.admin import backups, cluster, restores, wal_checks  # noqa: F401 - they register themselves
