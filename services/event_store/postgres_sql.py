"""The SQL of the store in PostgreSQL."""

from __future__ import annotations

from psycopg.sql import SQL

from services.event_store.outcomes import COLUMNS
from services.event_store.server_watch import STATE

WRITE_GUARD = SQL(STATE)
"""Read in each transaction that writes events, after the lock that orders commits was taken."""
INSERT_OUTCOMES = SQL(
    "INSERT INTO outcomes ({columns}) SELECT {columns} FROM unnest(%s::text[], %s::text[], "
    "%s::text[], %s::bigint[], %s::text[], %s::bigint[]) AS given ({columns})"
).format(columns=SQL(COLUMNS))
OUTCOMES = SQL(
    "SELECT key, fingerprint, checkout_id, version, refusal, recorded_at FROM outcomes "
    "WHERE key = ANY(%s)"
)
STREAMS = SQL(
    "SELECT e.originator_id, e.originator_version, e.topic, e.state "
    "FROM unnest(%s::text[], %s::bigint[], %s::bigint[]) AS w (id, after, until) "
    "JOIN stored_events e ON e.originator_id = w.id "
    "AND e.originator_version > w.after AND e.originator_version <= w.until "
    "ORDER BY e.originator_id, e.originator_version"
)
VERSION = SQL(
    "SELECT max(originator_version) AS version FROM stored_events WHERE originator_id = %s"
)
AFTER = SQL(
    "SELECT originator_id, originator_version, topic, state, notification_id AS id "
    "FROM stored_events WHERE notification_id > %s ORDER BY notification_id LIMIT %s"
)
IN_STREAMS = SQL(
    "SELECT originator_id, originator_version, topic, state, notification_id AS id "
    "FROM stored_events WHERE (originator_id, originator_version) > (%s, %s) "
    "ORDER BY originator_id, originator_version LIMIT %s"
)
IN_STREAM = SQL(
    "SELECT originator_id, originator_version, topic, state, notification_id AS id "
    "FROM stored_events WHERE originator_id = %s AND originator_version > %s "
    "ORDER BY originator_version LIMIT %s"
)
PURGE = SQL(
    "DELETE FROM outcomes WHERE key IN (SELECT key FROM outcomes o WHERE recorded_at < %s "
    "AND (version = 0 OR EXISTS (SELECT 1 FROM stored_events e "
    "WHERE e.originator_id = o.checkout_id AND e.topic = ANY(%s))) LIMIT %s)"
)
