"""The SQL of payment attempts, in the dialect that both databases share; parameters are `:name`."""

from __future__ import annotations

import re
from functools import lru_cache

_COLUMNS = (
    "attempt_id",
    "checkout_id",
    "command_key",
    "amount",
    "currency",
    "provider",
    "metadata",
    "sealed",
    "started_at",
    "state",
    "asks",
    "due_at",
    "lease_owner",
    "lease_until",
    "payment_id",
    "note",
)
COLUMNS = ", ".join(_COLUMNS)
"""Named wherever rows are written or read: a later build may have added columns."""

INSERT = (
    f"INSERT INTO payment_attempts ({COLUMNS}) "  # noqa: S608 - names of our own
    f"VALUES ({', '.join(':' + name for name in _COLUMNS)})"
)
CLOSE = (
    # Over Kafka the reply stays that the payment has started; over HTTP it becomes the result.
    (
        "UPDATE outcomes SET version = :version, refusal = :rejection, recorded_at = :at WHERE key = "
        "(SELECT command_key FROM payment_attempts WHERE attempt_id = :attempt_id) "
        "AND key LIKE :http_keys"
    ),
    (
        "UPDATE payment_attempts SET state = 'settled', sealed = NULL, lease_owner = NULL, "
        "payment_id = :payment_id WHERE attempt_id = :attempt_id"
    ),
)
CLAIM = (
    # SQLite uses a partial index only if its condition is repeated literally, so the WHERE begins with
    # it. A lease longer than the longest comes from a clock that was wrong.
    "UPDATE payment_attempts SET lease_owner = :owner, lease_until = :until, asks = asks + 1 "
    "WHERE attempt_id IN (SELECT attempt_id FROM payment_attempts "
    "WHERE state IN ('open', 'refund_due', 'by_hand') AND state <> 'by_hand' AND due_at <= :now "
    "AND (lease_until <= :now OR lease_until > :longest) "
    # After a restore the provider may know more than the store: no call before they were compared.
    "AND NOT EXISTS (SELECT 1 FROM write_guard WHERE reason IS NOT NULL) "
    "ORDER BY due_at LIMIT :limit {skip_locked}) "
    "RETURNING {columns}"
).replace("{columns}", COLUMNS)
RELEASE = (
    "UPDATE payment_attempts SET lease_owner = NULL, lease_until = 0, state = :state, "
    "due_at = :due_at, note = :note WHERE attempt_id = :attempt_id AND lease_owner = :owner "
    "AND lease_until = :lease_until AND state IN ('open', 'refund_due') RETURNING attempt_id"
)
REFUND = (
    # If another payment made the order, a person must decide which of the two to refund.
    "UPDATE payment_attempts SET state = CASE WHEN payment_id IS NULL THEN 'refund_due' "
    "ELSE 'by_hand' END, payment_id = :payment_id, note = :note, started_at = :now, "
    "due_at = :now, lease_owner = NULL, lease_until = 0 "
    "WHERE attempt_id = :attempt_id AND state = 'settled' RETURNING state"
)
HOLD = (
    "UPDATE payment_attempts SET state = 'by_hand', lease_owner = NULL, lease_until = 0 "
    "WHERE attempt_id = :attempt_id AND state = 'open' "
    "AND (lease_until <= :now OR lease_until > :longest) RETURNING attempt_id"
)
ASK_AGAIN = (
    "UPDATE payment_attempts SET state = 'open', due_at = :now WHERE attempt_id = :attempt_id "
    "AND state = 'by_hand' AND sealed IS NOT NULL RETURNING attempt_id"
)
REFUNDED = (
    "UPDATE payment_attempts SET state = 'refunded', lease_owner = NULL, lease_until = 0 "
    "WHERE attempt_id = :attempt_id AND state IN ('by_hand', 'refund_due') "
    "AND payment_id IS NOT NULL RETURNING attempt_id"
)
_SELECT = f"SELECT {COLUMNS} FROM payment_attempts "  # noqa: S608 - names of our own
GET = _SELECT + "WHERE attempt_id = :attempt_id"
LIST = _SELECT + (
    "WHERE state IN ({states}) AND attempt_id > :after ORDER BY attempt_id LIMIT :limit"
)
COUNTS = (
    "SELECT state, count(*) AS number, min(started_at) AS oldest FROM payment_attempts "
    "WHERE state IN ('open', 'refund_due', 'by_hand') GROUP BY state"
)
_PARAMETER = re.compile(r":([a-z_]+)")


@lru_cache
def for_psycopg(statement: str) -> bytes:
    """The statement with its parameters in psycopg's style."""
    return _PARAMETER.sub(r"%(\1)s", statement.replace("%", "%%")).encode()
