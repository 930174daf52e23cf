"""A write that is asked for twice happens once."""

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from foundation.errors import InvalidInput, KeyInProgress, KeyMismatch
from foundation.models import IdempotencyKey

MAX_KEY_LENGTH = 200
FORGET_BATCH = 1_000
LOOK_EVERY = 0.05


@dataclass(frozen=True)
class Answer:
    """What a write answered. Only an answer with a 2xx status is kept."""

    status: int
    body: str = ""
    content_type: str = ""
    replayed: bool = False

    @property
    def is_success(self) -> bool:
        return self.status // 100 == 2


def run_once(
    *,
    user: Any,
    path: str,
    key: str,
    request_digest: str,
    work: Callable[[], Answer],
    binding: str = "",
    patience: float = 0.0,
) -> Answer:
    """Runs `work` in a transaction and keeps its answer under (user, path, key); a repeat gets that answer.

    `request_digest` stands for what was asked: see `digest`. `binding` is what the user's token is bound to: keys of
    different bindings are different keys, so that nobody gets the answer to another one's request.

    What `work` raises goes through, and, like an answer that is no success, takes back all that was written and
    leaves no key. `patience` is how many seconds it waits for another request under the key.

    Raises InvalidInput for a malformed key, KeyInProgress while the first request under the key is running,
    and KeyMismatch if the key was used for another request.
    """
    check_key(key)
    scope = hashlib.sha256("\n".join([str(user.pk), path, key, *filter(None, [binding])]).encode())
    with transaction.atomic():
        claim(scope.digest(), patience=patience)
        known = IdempotencyKey.objects.filter(scope=scope.hexdigest()).first()
        if known is not None and known.created_at > oldest_kept():
            return replay(known, request_digest)
        answer = work()
        if answer.is_success:
            kept = IdempotencyKey(
                scope=scope.hexdigest(),
                user=user,
                path=path,
                key=key,
                request_digest=request_digest,
                status=answer.status,
                content_type=answer.content_type,
                body=answer.body,
                created_at=timezone.now(),
            )
            # One statement; it also takes the place of a key whose time is over.
            IdempotencyKey.objects.bulk_create(
                [kept],
                update_conflicts=True,
                unique_fields=["scope"],
                update_fields=["request_digest", "status", "content_type", "body", "created_at"],
            )
        else:
            transaction.set_rollback(True)
        return answer


def digest(asked: Any) -> str:
    """What a request is known by when it comes again; `asked` is anything JSON can hold.

    Keyed, since a request may hold a short secret, and whoever reads the table could try out what it was. With a new
    SECRET_KEY a repeat of an older request is refused instead of answered.
    """
    return salted_hmac(
        "foundation.idempotency", json.dumps(asked, sort_keys=True, default=str), algorithm="sha256"
    ).hexdigest()


def check_key(key: str) -> None:
    """Raises InvalidInput unless the key is 1 to 200 printable ASCII characters."""
    if not key or len(key) > MAX_KEY_LENGTH or not (key.isascii() and key.isprintable()):
        raise InvalidInput.at(
            "Idempotency-Key",
            _("The key must be 1 to %(limit)s printable ASCII characters.") % {"limit": MAX_KEY_LENGTH},
        )


def claim(scope: bytes, *, patience: float) -> None:
    """Takes the key until the transaction ends, or raises KeyInProgress after so many seconds.

    An advisory lock and not a row: a row of the first request is invisible to the second until it commits,
    and the second would wait at the unique index instead of being told.
    """
    deadline = time.monotonic() + patience
    while not is_free(int.from_bytes(scope[:8], byteorder="big", signed=True)):
        if time.monotonic() >= deadline:
            raise KeyInProgress(_("The first request with this key is still running. Ask again in a moment."))
        time.sleep(LOOK_EVERY)


def is_free(number: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [number])
        (free,) = cursor.fetchone()
    return bool(free)


def replay(known: IdempotencyKey, request_digest: str) -> Answer:
    if known.request_digest != request_digest:
        raise KeyMismatch(_("This key was used for another request. Use a new key for a new request."))
    return Answer(status=known.status, body=known.body, content_type=known.content_type, replayed=True)


def oldest_kept() -> datetime:
    return timezone.now() - timedelta(days=settings.IDEMPOTENCY_KEY_DAYS)


def forget_old_keys() -> int:
    """Deletes the keys that are older than IDEMPOTENCY_KEY_DAYS, a batch in a transaction; says how many."""
    total = 0
    while True:
        old = IdempotencyKey.objects.filter(created_at__lte=oldest_kept()).order_by("created_at")[:FORGET_BATCH]
        deleted, _by_model = IdempotencyKey.objects.filter(pk__in=old.values("pk")).delete()
        total += deleted
        if deleted < FORGET_BATCH:
            return total
