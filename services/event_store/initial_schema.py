"""The tables of migration 1: those of the builds that kept no schema version. It is never changed.

A store of such a build has all or some of them, so each statement passes over what is there. On PostgreSQL
an index is looked up first: CREATE INDEX, even with IF NOT EXISTS, waits for each VACUUM of its table, and
all writers queue behind it.
"""

from __future__ import annotations

_ON_BOTH = (
    """CREATE TABLE IF NOT EXISTS payment_attempts (
        attempt_id text PRIMARY KEY, checkout_id text NOT NULL, command_key text NOT NULL,
        amount bigint NOT NULL, currency text NOT NULL, provider text NOT NULL,
        metadata text NOT NULL, sealed {blob}, started_at double precision NOT NULL,
        state text NOT NULL, asks bigint NOT NULL, due_at double precision NOT NULL,
        lease_owner text, lease_until double precision NOT NULL, payment_id text, note text
    )""",
    """CREATE TABLE IF NOT EXISTS lineage (
        only_row integer PRIMARY KEY CHECK (only_row = 1), lineage text NOT NULL,
        epoch bigint NOT NULL
    )""",
    """CREATE TABLE IF NOT EXISTS publication (
        only_row integer PRIMARY KEY CHECK (only_row = 1), topic text NOT NULL,
        ends text NOT NULL, position bigint NOT NULL, checkout_id text, version bigint
    )""",
    """CREATE TABLE IF NOT EXISTS write_guard (
        only_row integer PRIMARY KEY CHECK (only_row = 1), reason text
    )""",
)
_OUTCOMES_BY_AGE = "CREATE INDEX {if_missing}outcomes_by_age ON outcomes (recorded_at)"
_ATTEMPTS_WAITING = """CREATE INDEX {if_missing}payment_attempts_waiting
    ON payment_attempts (due_at) WHERE state IN ('open', 'refund_due', 'by_hand')"""

SQLITE = (
    """CREATE TABLE IF NOT EXISTS stored_events (
        originator_id TEXT, originator_version INTEGER, topic TEXT, state BLOB,
        PRIMARY KEY (originator_id, originator_version)
    )""",
    """CREATE TABLE IF NOT EXISTS outcomes (
        key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, checkout_id TEXT NOT NULL,
        version INTEGER NOT NULL, refusal TEXT, recorded_at INTEGER NOT NULL
    ) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS positions (
        name TEXT PRIMARY KEY, position INTEGER NOT NULL
    ) WITHOUT ROWID""",
    *(statement.format(blob="BLOB") for statement in _ON_BOTH),
    _OUTCOMES_BY_AGE.format(if_missing="IF NOT EXISTS "),
    _ATTEMPTS_WAITING.format(if_missing="IF NOT EXISTS "),
)


def _index(name: str, statement: str) -> str:
    return f"DO $$ BEGIN IF to_regclass('{name}') IS NULL THEN {statement}; END IF; END $$"


POSTGRES = (
    # This table and its type are the eventsourcing library's.
    """CREATE TABLE IF NOT EXISTS public.stored_events (
        originator_id text NOT NULL, originator_version bigint NOT NULL, topic text, state bytea,
        notification_id bigserial, PRIMARY KEY (originator_id, originator_version)
    ) WITH (
        autovacuum_enabled = true, autovacuum_vacuum_threshold = 100000000,
        autovacuum_vacuum_scale_factor = 0.5, autovacuum_analyze_threshold = 1000,
        autovacuum_analyze_scale_factor = 0.01
    )""",
    """DO $$ BEGIN IF to_regtype('public.stored_event_text') IS NULL THEN
        CREATE TYPE public.stored_event_text AS (
            originator_id text, originator_version bigint, topic text, state bytea
        );
    END IF; END $$""",
    _index(
        "public.stored_events_notification_id_idx",
        "CREATE UNIQUE INDEX stored_events_notification_id_idx ON public.stored_events (notification_id)",
    ),
    """CREATE TABLE IF NOT EXISTS outcomes (
        key text PRIMARY KEY, fingerprint text NOT NULL, checkout_id text NOT NULL,
        version bigint NOT NULL, refusal text, recorded_at bigint NOT NULL
    )""",
    "CREATE TABLE IF NOT EXISTS positions (name text PRIMARY KEY, position bigint NOT NULL)",
    *(statement.format(blob="bytea") for statement in _ON_BOTH),
    _index("outcomes_by_age", _OUTCOMES_BY_AGE.format(if_missing="")),
    _index("payment_attempts_waiting", _ATTEMPTS_WAITING.format(if_missing="")),
)
