"""A PostgreSQL server: how to reach it, and what it says of itself."""

import os
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import psycopg2
import psycopg2.extensions
from django.conf import settings
from django.utils.translation import gettext as _

from backups.errors import ServerGone
from foundation.database import address

# Of several hosts the next one is tried soon.
CONNECT_TIMEOUT, CONNECT_TIMEOUT_OF_EACH = 10, address.CONNECT_TIMEOUT
# Messages of the server itself: the language of what it sends is its own setting, whatever that of the client is.
IN_ENGLISH = "-c lc_messages=C"
# Who may not set it, by host, port and user: only a superuser, or from 15 on one it was granted, may.
NOT_IN_ENGLISH: set[tuple[str, str, str]] = set()
# A machine that is gone answers nothing. One that is only slow to take what a tool sends may take its time.
KEEP_ALIVE = {**address.KEEPALIVES, "tcp_user_timeout": 30_000}


@dataclass(frozen=True, slots=True)
class Facts:
    """What a server says of itself. `segment_size` and `data_size` (all databases together) in bytes."""

    version: int
    system_identifier: str
    timeline: int
    segment_size: int
    data_size: int
    is_standby: bool
    tracks_commit_times: bool

    @property
    def major(self) -> int:
        return self.version // 10_000


@dataclass(frozen=True, slots=True)
class Server:
    """How to reach a database of a server; `hosts` and `ports` may be several, of which the one that can be written
    to is taken."""

    host: str
    port: str
    user: str
    password: str = field(repr=False)
    database: str
    options: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_the_shop(cls) -> "Server":
        """The one of the settings."""
        config: dict[str, Any] = settings.DATABASES["default"]
        options = {name: str(value) for name, value in config.get("OPTIONS", {}).items() if name in PASSED_ON}
        return cls(
            host=config.get("HOST") or "localhost",
            port=str(config.get("PORT") or 5432),
            user=config.get("USER") or "",
            password=config.get("PASSWORD") or "",
            database=config["NAME"],
            options=options,
        )

    def of(self, database: str) -> "Server":
        """The same server's other database."""
        return replace(self, database=database)

    @property
    def connect_timeout(self) -> int:
        return CONNECT_TIMEOUT_OF_EACH if "," in self.host else CONNECT_TIMEOUT

    def address(self, *, replicates: bool = False) -> str:
        """What libpq's programs are told as --dbname: the database, unless they talk as standbys do, and what no
        variable can say. The rest is in `environment`."""
        options: dict[str, Any] = {**KEEP_ALIVE} if replicates else {"dbname": self.database, **KEEP_ALIVE}
        return psycopg2.extensions.make_dsn(**options)

    def environment(self) -> dict[str, str]:
        """What libpq's programs read. The password stands in no command line; messages are in English, the server's
        too where the account may ask for that, because some are looked for."""
        names = {
            "PGHOST": self.host,
            "PGPORT": self.port,
            "PGUSER": self.user,
            "PGPASSWORD": self.password,
            "PGDATABASE": self.database,
            "PGCONNECT_TIMEOUT": str(self.connect_timeout),
            "PGOPTIONS": self.in_english,
            **{PASSED_ON[name]: value for name, value in self.options.items()},
        }
        given = {name: value for name, value in names.items() if value}
        return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC", **given}

    @property
    def in_english(self) -> str:
        """What libpq passes on to the server to have its messages in English; "" for an account that a connection of
        this process found not allowed to."""
        return "" if (self.host, self.port, self.user) in NOT_IN_ENGLISH else IN_ENGLISH

    @contextmanager
    def connected(
        self,
        *,
        database: str | None = None,
        factory: type[psycopg2.extensions.connection] | None = None,
    ) -> Iterator[psycopg2.extensions.connection]:
        """A connection of its own that commits every statement, closed at the end; `factory` makes another sort of it,
        such as one for replication. Messages are in English where the account may ask for that. Raises ServerGone."""
        try:
            connection = self._connect(database or self.database, factory)
        except psycopg2.OperationalError as error:
            raise ServerGone(
                _("The database server at %(host)s:%(port)s does not answer: %(why)s")
                % {"host": self.host, "port": self.port, "why": last_line(str(error))}
            ) from error
        # One for replication knows no transactions.
        if factory is None:
            connection.autocommit = True
        with closing(connection):
            yield connection

    def _connect(
        self, database: str, factory: type[psycopg2.extensions.connection] | None
    ) -> psycopg2.extensions.connection:
        """Connects, once more without asking for English if that is refused. Raises OperationalError."""
        while True:
            in_english = self.in_english
            asked = {"options": in_english} if in_english else {}
            options: dict[str, Any] = {**KEEP_ALIVE, **self.options, **asked}
            try:
                return psycopg2.connect(
                    host=self.host,
                    port=self.port,
                    user=self.user,
                    password=self.password,
                    dbname=database,
                    connect_timeout=self.connect_timeout,
                    application_name="samovar backups",
                    connection_factory=factory,
                    **options,
                )
            except psycopg2.OperationalError as error:
                # The sentence is in the server's language, the setting's name in it is not.
                if not in_english or "lc_messages" not in str(error):
                    raise
                NOT_IN_ENGLISH.add((self.host, self.port, self.user))

    def ask(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Runs one statement and returns its rows. Raises ServerGone, and psycopg2's error for what the server
        refuses."""
        with self.connected() as connection, connection.cursor() as cursor:
            try:
                cursor.execute(query, values or None)
                return list(cursor.fetchall()) if cursor.description else []
            except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
                raise ServerGone(
                    _("The database server at %(host)s:%(port)s went away: %(why)s")
                    % {"host": self.host, "port": self.port, "why": last_line(str(error))}
                ) from error

    def facts(self) -> Facts:
        """Asks the server. Raises ServerGone."""
        rows = self.ask(
            """
            SELECT current_setting('server_version_num')::int, system_identifier::text,
                   (SELECT timeline_id FROM pg_control_checkpoint()),
                   pg_size_bytes(current_setting('wal_segment_size')),
                   (SELECT coalesce(sum(pg_database_size(oid)), 0)::bigint FROM pg_database
                    WHERE has_database_privilege(oid, 'CONNECT')),
                   pg_is_in_recovery(), current_setting('track_commit_timestamp')::bool
            FROM pg_control_system()
            """
        )
        if not rows:
            raise ServerGone(_("The database server says nothing of itself."))
        return Facts(*rows[0])


# Of the settings' OPTIONS: libpq's parameter, and the variable that its programs read.
PASSED_ON = {
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "target_session_attrs": "PGTARGETSESSIONATTRS",
}


def last_line(text: str) -> str:
    """The most telling line of what libpq says."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""
