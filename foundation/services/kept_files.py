"""Keeping a file until the person who handed it in has decided about it."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from foundation.errors import Missing
from foundation.models import KeptFile

KEPT = timedelta(hours=24)
LONGEST_NAME = 255


@transaction.atomic
def keep_file(*, user_id: int, purpose: str, name: str, content: bytes, seen: str = "") -> KeptFile:
    """Keeps a file for a day; an earlier one of the same person and purpose goes: nobody needs two of them."""
    KeptFile.objects.filter(user=user_id, purpose=purpose).delete()
    return KeptFile.objects.create(
        user_id=user_id, purpose=purpose, name=name[-LONGEST_NAME:], content=content, seen=seen
    )


@transaction.atomic
def take_file(*, file_id: Any, user_id: int, purpose: str) -> KeptFile:
    """The person's kept file, which is kept no longer. Of two who take it at once the second waits, and gets none.

    Raises Missing, for another's file too.
    """
    file = find_file(file_id=file_id, user_id=user_id, purpose=purpose)
    deleted, _by_model = KeptFile.objects.filter(pk=file.pk).delete()
    if not deleted:
        raise gone()
    return file


def find_file(*, file_id: Any, user_id: int, purpose: str) -> KeptFile:
    """The person's kept file. Raises Missing, for another's file too."""
    kept = KeptFile.objects.filter(pk__in=possible_ids(file_id), user=user_id, purpose=purpose).first()
    if kept is None or kept.created_at < timezone.now() - KEPT:
        raise gone()
    return kept


def gone() -> Missing:
    return Missing(_("This file is kept no longer: it was used already, or a day has passed. Hand it in again."))


def forget_old_files() -> int:
    """Deletes the files that nobody has decided about within a day; says how many."""
    deleted, _by_model = KeptFile.objects.filter(created_at__lt=timezone.now() - KEPT).delete()
    return deleted


def possible_ids(sent: Any) -> list[UUID]:
    """The id that somebody sent; none if it can be none."""
    try:
        return [UUID(str(sent))]
    except ValueError:
        return []
