"""Taking a person's words out of texts that stay: ledgers, logs, answers that are kept for a repeat."""

import json
import re
from collections.abc import Collection, Iterable
from contextlib import nullcontext
from typing import Any

import pgtrigger
from django.apps import apps
from django.db import transaction
from django.db.models import F, Func, QuerySet, TextField, Value
from django.db.models.functions import Cast

from foundation.models import IdempotencyKey

# What stands in the place of what was taken out.
MARK = "[erased]"
# Shorter ones would stand in every second text by chance.
SHORTEST_WORD = 3
# One expression does not get longer than this many words.
MOST_WORDS = 200


def pattern_of(words: Iterable[str]) -> str:
    """A regular expression of PostgreSQL that finds these words as whole words, as they are and as JSON writes them.

    The longest first, so that nothing is left of it; "" if there is nothing to look for.
    """
    spellings: set[str] = set()
    for word in words:
        if len(word.strip()) >= SHORTEST_WORD:
            spellings |= {
                word.strip(),
                *(json.dumps(word.strip(), ensure_ascii=plain)[1:-1] for plain in (True, False)),
            }
    longest = sorted(spellings, key=lambda word: (-len(word), word))[: 3 * MOST_WORDS]
    either = "|".join(re.escape(word) for word in longest)
    return f"(?<![[:alnum:]])(?:{either})(?![[:alnum:]])" if longest else ""


def forget_words(rows: QuerySet[Any], columns: Collection[str], pattern: str, *, trigger: str = "") -> int:
    """Takes what the pattern finds, in capitals or not, out of these text or JSON columns of the rows. Returns how many
    texts there were.

    `trigger` names the one that keeps the rows as they are ("orders.LoyaltyEntry:loyalty_append_only"): the rows stay,
    only the words go.
    """
    changed = 0
    with transaction.atomic(), pgtrigger.ignore(trigger) if trigger else nullcontext():
        for column in columns if pattern else ():
            text = Cast(F(column), TextField())
            field = rows.model._meta.get_field(column)
            cleaned = Func(text, Value(pattern), Value(MARK), Value("gi"), function="regexp_replace")
            found = rows.order_by().alias(as_text=text).filter(as_text__iregex=pattern)
            changed += found.update(**{column: Cast(cleaned, field)})
    return changed


def forget_in_memory(pattern: str) -> None:
    """Takes the words out of the answers that are kept for repeats and out of the admin's log."""
    forget_words(IdempotencyKey.objects.all(), ["body", "path"], pattern)
    forget_words(admin_log(), ["object_repr", "change_message"], pattern)


def admin_log() -> QuerySet[Any]:
    """What people did in the admin: the table, not the interface."""
    return apps.get_model("admin", "LogEntry")._default_manager.all()


def forget_answers(*, user_id: int) -> None:
    """Empties every answer that is kept for this user's repeats; the keys stay, so that nothing happens twice."""
    IdempotencyKey.objects.filter(user_id=user_id).update(body="{}")


def forget_log_of(*, model: str, object_ids: Iterable[int]) -> None:
    """Takes the names of these objects ("orders.customer") out of the admin's log; what was done to them stays."""
    app_label, name = model.split(".")
    admin_log().filter(
        content_type__app_label=app_label, content_type__model=name, object_id__in=[str(pk) for pk in object_ids]
    ).update(object_repr=MARK, change_message="")
