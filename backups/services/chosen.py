"""Chosen tables of a restored shop take the place of the running one's, while it works."""

from collections.abc import Callable, Collection, Sequence
from typing import Any

import structlog
from django.apps import apps
from django.core.cache import cache
from django.utils.translation import gettext as _

from backups.engine.carrying import ACCOUNTS, GATES, MAILS, SESSIONS, SWITCH, TOKENS
from backups.engine.checking import Checked, Look
from backups.engine.chosen_tables import Refuse
from backups.engine.databases import Cursor
from backups.engine.jobs import Result, Stopped
from backups.engine.repository import Repository
from backups.errors import TablesInTheWay, TablesMissing
from backups.services.erasures import end_repetition, expect_repetition, keep_erasures, repeat_them
from orders.services.erasing import erased_people

# What goes back in time only with everything else, where it is carried over: keys, sessions, limits, mails that have
# gone out; and what the program itself keeps in the database.
NOT_ALONE = {ACCOUNTS, GATES, SWITCH, SESSIONS, TOKENS, MAILS}
OF_THE_PROGRAM = ("django_", "auth_", "backups_", "foundation_idempotencykey", "foundation_keptfile")
LEDGER = {"inventory_stocklevel", "inventory_stockmovement"}

logger = structlog.get_logger("backups.chosen")


def may_be_chosen(table: str) -> bool:
    """Whether this table ("schema.table", or "table") can be taken over by itself."""
    name = plain(table)
    return name not in NOT_ALONE and not name.startswith(OF_THE_PROGRAM)


def refuse_alone(tables: Collection[str]) -> None:
    """Raises TablesInTheWay for what can't be taken over by itself."""
    if refused := sorted(plain(table) for table in tables if not may_be_chosen(table)):
        raise TablesInTheWay(
            _(
                "%(tables)s can't go back in time alone: keys, sessions and what the program keeps for itself. Take "
                "everything over; these are carried over then."
            )
            % {"tables": ", ".join(refused)}
        )


def put_tables(
    *,
    repository: Repository,
    tables: Sequence[str],
    load: Callable[[Refuse], dict[str, int]],
    is_stopped: Stopped = lambda: False,
) -> Result:
    """Puts the tables in the place of the shop's: `load` does it in one transaction, and calls what it is given before
    it commits. Customers who were erased since are erased again, if need be by whoever settles what we leave.

    Raises what `load` raises, TablesInTheWay, and TablesMissing where the stock would not be what its ledger sums to;
    nothing has changed then.
    """
    refuse_alone(tables)
    keep_erasures(repository=repository)
    people = erased_people()

    def refuse(cursor: Cursor) -> None:
        refuse_another_version(cursor, tables)
        if LEDGER & {plain(table) for table in tables}:
            refuse_wrong_stock(cursor, is_stopped)

    expect_repetition(people, repository=repository)
    # Where this fails the marker stays: what the server has committed all the same nobody knows, and to repeat it for
    # nothing does no harm.
    rows = load(refuse)
    again = repeat_them(people)
    end_repetition(repository=repository)
    cache.clear()
    logger.info("tables_taken_over", rows=rows, erased_again=again.erased)
    return {
        "tables": rows,
        "erased_again": again.erased,
        "erasures_refused": {str(pk): str(refusal.detail) for pk, refusal in again.refused.items()},
    }


def refuse_another_version(cursor: Cursor, tables: Collection[str]) -> None:
    """The program knows the tables as its models say. Raises TablesInTheWay."""
    models = {model._meta.db_table: model for model in apps.get_models(include_auto_created=True)}
    for name in sorted(models.keys() & {plain(table) for table in tables}):
        cursor.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped",
            [f'public."{name}"'],
        )
        found = {column for (column,) in cursor.fetchall()}
        if found != {field.column for field in models[name]._meta.local_concrete_fields}:
            raise TablesInTheWay(
                _("%(table)s has other columns now: an update has changed it since. Take everything over.")
                % {"table": name}
            )


def refuse_wrong_stock(cursor: Cursor, is_stopped: Stopped) -> None:
    """Raises TablesMissing."""
    checked = Checked()
    cursor.execute("SELECT set_config('search_path', 'public', true)")
    Look(cursor, checked, is_stopped).stock()
    if checked.findings:
        raise TablesMissing(
            _("%(finding)s Choose inventory_stocklevel and inventory_stockmovement together.")
            % {"finding": checked.findings[0]}
        )


def plain(table: str) -> str:
    """Without the schema that is everybody's."""
    return table.removeprefix("public.")


def choice_of(comparison: dict[str, Any]) -> list[dict[str, Any]]:
    """The tables of a comparison that can be chosen, those that differ first."""
    rows = [
        {**row, "name": plain(row["name"])}
        for row in comparison.get("tables", [])
        if row.get("recovered") is not None and may_be_chosen(row["name"])
    ]
    return sorted(rows, key=lambda row: (not differs(row), row["name"]))


def differs(row: dict[str, Any]) -> bool:
    """Whether the table is not the same on both sides, as far as that is known."""
    return row.get("recovered") != row.get("running") or bool(row.get("written_since"))
