"""Alerts and messages to channels that an older database holds as waiting, and that people were told of since."""

from dataclasses import dataclass

from psycopg2.extensions import cursor as Cursor  # noqa: N812 - a class

# Of a message that nobody sends again, in the language of the log.
TOLD_SINCE = "It had been dealt with when an older database took the place of the one that knew."


@dataclass(frozen=True, slots=True)
class Waiting:
    """What still waits in the database that serves: alerts by id, messages by the key that their receivers know."""

    alerts: list[int]
    messages: list[str]


def read_waiting(cursor: Cursor) -> Waiting:
    """Reads it from the database that has served until now."""
    cursor.execute("SELECT id FROM monitoring_alert WHERE dispatched_at IS NULL")
    alerts = [pk for (pk,) in cursor.fetchall()]
    cursor.execute("SELECT key::text FROM monitoring_delivery WHERE status = 'waiting'")
    return Waiting(alerts, [key for (key,) in cursor.fetchall()])


def drop_told(cursor: Cursor, waiting: Waiting) -> int:
    """Has nothing sent again from the database that takes its place, and says how many messages that were."""
    cursor.execute(
        "UPDATE monitoring_alert SET dispatched_at = now(),"
        " resolution_dispatched_at = CASE WHEN resolved_at IS NOT NULL THEN now() END"
        " WHERE dispatched_at IS NULL AND id <> ALL(%s)",
        [waiting.alerts],
    )
    cursor.execute(
        "UPDATE monitoring_delivery SET status = 'given_up', sending_since = NULL, last_error = %s"
        " WHERE status = 'waiting' AND key <> ALL(%s::uuid[])",
        [TOLD_SINCE, waiting.messages],
    )
    return cursor.rowcount
