"""The caches of Django, counting what was asked of them under the names of django-prometheus.

Its own backends are not used: the one for Redis wants another client than Django's, and the one in memory answers with
the default where 0 or "" was kept.
"""

from collections.abc import Iterable
from typing import Any

from django.core.cache.backends import locmem, redis
from django_prometheus.cache.metrics import (
    django_cache_get_fail_total,
    django_cache_get_total,
    django_cache_hits_total,
    django_cache_misses_total,
)

MISSING = object()


class Counted:
    """Goes before a backend of Django."""

    label: str

    def get(self, key: Any, default: Any = None, version: Any = None) -> Any:
        django_cache_get_total.labels(self.label).inc()
        try:
            found = super().get(key, MISSING, version)  # type: ignore[misc]
        except Exception:
            django_cache_get_fail_total.labels(self.label).inc()
            raise
        if found is MISSING:
            django_cache_misses_total.labels(self.label).inc()
            return default
        django_cache_hits_total.labels(self.label).inc()
        return found


class RedisCache(Counted, redis.RedisCache):
    """Django's cache in Redis."""

    label = "redis"

    def get_many(self, keys: Iterable[Any], version: Any = None) -> dict[Any, Any]:
        wanted = list(keys)
        django_cache_get_total.labels(self.label).inc(len(wanted))
        try:
            found: dict[Any, Any] = super().get_many(wanted, version)
        except Exception:
            django_cache_get_fail_total.labels(self.label).inc(len(wanted))
            raise
        django_cache_hits_total.labels(self.label).inc(len(found))
        django_cache_misses_total.labels(self.label).inc(len(wanted) - len(found))
        return found


class LocMemCache(Counted, locmem.LocMemCache):
    """Django's cache in the process's own memory."""

    label = "locmem"
