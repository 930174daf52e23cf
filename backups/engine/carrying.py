"""What must not go back in time when an older database takes the place of the one that serves.

- Sellers' keys and tokens: a marketplace takes only the newest refresh token. Their accounts come back read only, and
  read everything again from where the older database had got to.
- The limits of the marketplaces' APIs, and the switch that stops all writing.
- Sessions and API tokens: what was ended or revoked since must not open again.
- Mails that have gone out since, and messages to channels: see `backups.engine.carrying_messages`.
- Numbers: what customers have seen under a number must not be something else later, least of all somebody whose data
  were erased.

Nothing goes into a database of another shop (the real one that takes the place of a demonstration, say): there the
same ids are somebody else's.

Who was erased is carried over by `backups.services.erasures`, because that needs the rules of the apps. Tables that
one of the databases does not have are passed over.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor  # noqa: N812 - a class

from backups.engine.carrying_messages import Waiting, drop_told, read_waiting

ACCOUNTS = "marketplaces_selleraccount"
STATES, LISTINGS, CONNECTING = "marketplaces_syncstate", "marketplaces_listing", "marketplaces_deviceconnection"
GATES, SWITCH = "marketplaces_apigate", "marketplaces_marketplaceswitch"
SESSIONS, TOKENS, USERS = "django_session", "users_apitoken", "users_user"
MAILS, LOCATIONS = "users_outgoingmail", "inventory_location"
TOLD = ("monitoring_alert", "monitoring_delivery")
TIMETABLE = "django_celery_beat_periodictasks"
READ = (ACCOUNTS, GATES, SWITCH, SESSIONS, TOKENS, MAILS)

KEYS = (
    *("credentials", "credentials_changed_at", "key_expires_at", "connection", "seller_name", "tokens"),
    *("access_expires_at", "refresh_expires_at", "refresh_started_at"),
)
# Read again is what came this long before the last success: as for every run that reads again.
OVERLAP = "1 hour"
# How far back everything is read where nothing is known of a success.
WITHOUT_SUCCESS = "30 days"
# Rows that are handed over at once.
PART = 1000


@dataclass(slots=True)
class Read:
    """What the database that serves has: which shop's it is, by table the rows as PostgreSQL writes them in JSON, and
    where its sequences are, by schema and name."""

    shop: str = ""
    rows: dict[str, list[str]] = field(default_factory=dict)
    sequences: dict[tuple[str, str], int] = field(default_factory=dict)
    waiting: Waiting | None = None


@dataclass(slots=True)
class Carried:
    """What was carried over, for the log and for whoever asked for it.

    `accounts`: seller accounts that came back read only, by name; `left_out`: those that the older database can't
    hold, because their location is not in it; `unknown`: those that have been deleted since, whose keys are gone.
    `is_same_shop`: if not, accounts are read only, and nothing else was done.
    """

    is_same_shop: bool = True
    accounts: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    sessions: int = 0
    tokens: int = 0
    mails_dropped: int = 0
    messages_dropped: int = 0
    sequences: int = 0


def read_what_stays(cursor: Cursor) -> Read:
    """Reads it from the database that has served until now."""
    found = Read(shop_of(cursor))
    for table in READ:
        if has_table(cursor, table):
            cursor.execute(sql.SQL("SELECT to_jsonb(r)::text FROM {} r").format(sql.Identifier(table)))
            found.rows[table] = [text for (text,) in cursor.fetchall()]
    cursor.execute("SELECT schemaname, sequencename, last_value FROM pg_sequences WHERE last_value IS NOT NULL")
    found.sequences = {(schema, name): value for schema, name, value in cursor.fetchall()}
    if all(has_table(cursor, table) for table in TOLD):
        found.waiting = read_waiting(cursor)
    return found


def write_what_stays(cursor: Cursor, read: Read) -> Carried:
    """Writes it into the database that takes its place; to be called in one transaction. Once more changes nothing."""
    carried = Carried(is_same_shop=read.shop == shop_of(cursor))
    if not carried.is_same_shop:
        read = Read()
    if has_table(cursor, ACCOUNTS):
        if ACCOUNTS in read.rows:
            carry_keys(cursor, read.rows[ACCOUNTS], carried)
        cursor.execute(f"UPDATE {ACCOUNTS} SET mode = 'read_only', refresh_leased_until = NULL RETURNING name")  # noqa: S608
        carried.accounts = sorted(name for (name,) in cursor.fetchall())
        ask_to_read_again(cursor)
    if GATES in read.rows and has_table(cursor, GATES):
        replace_rows(cursor, GATES, read.rows[GATES])
    if SWITCH in read.rows and has_table(cursor, SWITCH):
        carry_switch(cursor, read.rows[SWITCH])
    if SESSIONS in read.rows and has_table(cursor, SESSIONS):
        carried.sessions = replace_rows(cursor, SESSIONS, read.rows[SESSIONS])
    if TOKENS in read.rows and has_table(cursor, TOKENS):
        carried.tokens = replace_rows(cursor, TOKENS, read.rows[TOKENS], needed=("user_id", USERS))
    if MAILS in read.rows and has_table(cursor, MAILS):
        carried.mails_dropped = drop_sent_mails(cursor, read.rows[MAILS])
    if read.waiting is not None and all(has_table(cursor, table) for table in TOLD):
        carried.messages_dropped = drop_told(cursor, read.waiting)
    carried.sequences = move_sequences(cursor, read)
    if has_table(cursor, TIMETABLE):
        # Else the process that keeps time would go by the old timetable until it is started anew.
        cursor.execute(
            f"INSERT INTO {TIMETABLE} (ident, last_update) VALUES (1, now())"  # noqa: S608
            " ON CONFLICT (ident) DO UPDATE SET last_update = now()"
        )
    return carried


# --- sellers -------------------------------------------------------------------------------------------


def carry_keys(cursor: Cursor, rows: Sequence[str], carried: Carried) -> None:
    columns = shared(cursor, ACCOUNTS, KEYS, rows)
    accounts = sql.Identifier(ACCOUNTS)
    cursor.execute(
        f"CREATE TEMPORARY TABLE carried_account ON COMMIT DROP AS SELECT * FROM {ACCOUNTS} WITH NO DATA"  # noqa: S608
    )
    fill(cursor, "carried_account", rows)
    cursor.execute(
        sql.SQL(
            "UPDATE {accounts} a SET ({columns}) = ROW({theirs}), is_active = a.is_active AND r.is_active"
            " FROM carried_account r WHERE r.id = a.id"
        ).format(
            accounts=accounts,
            columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
            theirs=sql.SQL(", ").join(sql.Identifier("r", name) for name in columns),
        )
    )
    # Deleted since: whatever its keys were, they are not ours to use any more.
    cursor.execute(
        f"UPDATE {ACCOUNTS} a SET credentials = NULL, tokens = NULL, connection = 'none', access_expires_at = NULL,"  # noqa: S608
        " refresh_expires_at = NULL, is_active = false"
        " WHERE NOT EXISTS (SELECT FROM carried_account r WHERE r.id = a.id) RETURNING name"
    )
    carried.unknown = sorted(name for (name,) in cursor.fetchall())
    # Added since: with their keys, where the older database has their location and no other one of their name.
    every = shared(cursor, ACCOUNTS, None, rows)
    names = sql.SQL(", ").join(map(sql.Identifier, every))
    cursor.execute(
        sql.SQL(
            "INSERT INTO {accounts} ({names}) SELECT {names} FROM carried_account r"
            " WHERE EXISTS (SELECT FROM {locations} l WHERE l.id = r.location_id) ON CONFLICT DO NOTHING"
        ).format(accounts=accounts, names=names, locations=sql.Identifier(LOCATIONS))
    )
    cursor.execute(
        f"SELECT r.name FROM carried_account r WHERE NOT EXISTS (SELECT FROM {ACCOUNTS} a WHERE a.id = r.id)"  # noqa: S608
    )
    carried.left_out = sorted(name for (name,) in cursor.fetchall())
    cursor.execute("DROP TABLE carried_account")


def ask_to_read_again(cursor: Cursor) -> None:
    """Everything that came after the older database's last success is read again, at once; what the marketplaces show
    of our quantities is not known."""
    if has_table(cursor, STATES):
        cursor.execute(
            f"UPDATE {STATES} SET leased_until = NULL, failures = 0, next_due_at = now(), resync_since ="  # noqa: S608
            " least(resync_since, coalesce(last_success_at, now() - %s::interval) - %s::interval)",
            [WITHOUT_SUCCESS, OVERLAP],
        )
    if has_table(cursor, LISTINGS):
        cursor.execute(
            f"UPDATE {LISTINGS} SET offered = NULL, offered_at = NULL, push_wanted_at = now(), push_not_before = NULL"  # noqa: S608
        )
    if has_table(cursor, CONNECTING):
        # The codes of connections that somebody was just making are worth nothing by now.
        cursor.execute(f"DELETE FROM {CONNECTING}")  # noqa: S608


def carry_switch(cursor: Cursor, rows: Sequence[str]) -> None:
    """Who has stopped all writing to the marketplaces has stopped it still; one that was stopped then stays so too."""
    cursor.execute(f"SELECT count(*) FROM {SWITCH} WHERE pushes_stopped_at IS NOT NULL")  # noqa: S608
    if not cursor.fetchall()[0][0]:
        replace_rows(cursor, SWITCH, rows)


# --- doors, mails, numbers -----------------------------------------------------------------------------


def drop_sent_mails(cursor: Cursor, rows: Sequence[str]) -> int:
    """Mails that wait in the older database and not in the one that served: they were sent since."""
    cursor.execute(
        "CREATE TEMPORARY TABLE carried_mail ON COMMIT DROP AS SELECT * FROM users_outgoingmail WITH NO DATA"
    )
    fill(cursor, "carried_mail", rows)
    cursor.execute(
        f"DELETE FROM {MAILS} m WHERE NOT EXISTS"  # noqa: S608
        " (SELECT FROM carried_mail r WHERE r.id = m.id AND r.created_at = m.created_at)"
    )
    dropped: int = cursor.rowcount
    cursor.execute("DROP TABLE carried_mail")
    return dropped


def move_sequences(cursor: Cursor, read: Read) -> int:
    """Sets each sequence on to where that of the same name has got to; says how many were behind."""
    cursor.execute("SELECT schemaname, sequencename, coalesce(last_value, 0), max_value FROM pg_sequences")
    moved = 0
    for schema, name, value, most in cursor.fetchall():
        reached = min(read.sequences.get((schema, name), 0), most)
        if reached > value:
            cursor.execute(
                sql.SQL("SELECT setval({}, %s)").format(sql.Literal(sql.Identifier(schema, name).as_string(cursor))),
                [reached],
            )
            moved += 1
    return moved


def shop_of(cursor: Cursor) -> str:
    """What tells one shop's databases from another's: when the first table of it was made. It stays the same in every
    backup and copy. "" for none."""
    if not has_table(cursor, "django_migrations"):
        return ""
    cursor.execute(
        "SELECT app || '.' || name || ' ' || extract(epoch FROM applied) FROM django_migrations ORDER BY id LIMIT 1"
    )
    row = cursor.fetchone()
    return str(row[0]) if row else ""


# --- rows ----------------------------------------------------------------------------------------------


def has_table(cursor: Cursor, table: str) -> bool:
    cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [f"public.{table}"])
    return bool(cursor.fetchall()[0][0])


def shared(cursor: Cursor, table: str, wanted: Iterable[str] | None, rows: Sequence[str]) -> list[str]:
    """Of these columns (or all of the table) those that the table has and the rows have too: the databases may be of
    different versions. Generated ones are left out."""
    cursor.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"
        " AND attgenerated = '' AND (%s::text IS NULL OR %s::jsonb ? attname) ORDER BY attnum",
        [f"public.{table}", rows[0] if rows else None, rows[0] if rows else None],
    )
    names = [name for (name,) in cursor.fetchall()]
    return names if wanted is None else [name for name in wanted if name in names]


def fill(cursor: Cursor, table: str, rows: Sequence[str]) -> None:
    """Adds rows to a temporary table."""
    for start in range(0, len(rows), PART):
        cursor.execute(
            sql.SQL("INSERT INTO {table} SELECT * FROM jsonb_populate_recordset(NULL::{table}, %s::jsonb)").format(
                table=sql.Identifier(table)
            ),
            ["[" + ",".join(rows[start : start + PART]) + "]"],
        )


def replace_rows(cursor: Cursor, table: str, rows: Sequence[str], *, needed: tuple[str, str] | None = None) -> int:
    """Makes the table hold exactly these rows, of which those are left out whose `needed` (a column, and the table that
    its key leads to) is not there. Says how many there are."""
    cursor.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
    columns = sql.SQL(", ").join(map(sql.Identifier, shared(cursor, table, None, rows)))
    condition = (
        sql.SQL("EXISTS (SELECT FROM {} n WHERE n.id = r.{})").format(
            sql.Identifier(needed[1]), sql.Identifier(needed[0])
        )
        if needed
        else sql.SQL("true")
    )
    written = 0
    for start in range(0, len(rows), PART):
        cursor.execute(
            sql.SQL(
                "INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE"
                " SELECT {columns} FROM jsonb_populate_recordset(NULL::{table}, %s::jsonb) r WHERE {condition}"
            ).format(table=sql.Identifier(table), columns=columns, condition=condition),
            ["[" + ",".join(rows[start : start + PART]) + "]"],
        )
        written += cursor.rowcount
    return written
