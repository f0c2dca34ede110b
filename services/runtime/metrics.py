"""The Prometheus metrics of all services."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

COMMANDS = Counter("checkout_commands", "Commands by outcome", ["door", "type", "outcome"])
BATCH_SIZE = Histogram(
    "checkout_batch_size", "Commands that shared a transaction", buckets=(1, 2, 5, 10, 50, 100, 500)
)
_BATCH_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
HANDLE_SECONDS = Histogram(
    "checkout_handle_seconds",
    "Reading for, deciding and recording one batch, with its retries",
    buckets=_BATCH_SECONDS,
)
DECIDE_SECONDS = Histogram(
    "checkout_decide_seconds", "Deciding on one batch", buckets=_BATCH_SECONDS
)
APPEND_SECONDS = Histogram(
    "checkout_append_seconds",
    "One transaction of events and outcomes, including conflicts and failures",
    buckets=_BATCH_SECONDS,
)
DEAD_LETTERS = Counter("checkout_dead_letters", "Dead letters by reason", ["reason"])
HTTP_SECONDS = Histogram("checkout_http_seconds", "HTTP requests", ["method", "route", "status"])
VIEWS_FROM = Counter(
    "checkout_views_read", "Views served, by origin: Redis or the store", ["origin"]
)
RELAYED = Counter("checkout_relayed_events", "Events published to Kafka")
RELAY_POSITION = Gauge(
    "checkout_relay_position", "Position in the event store up to which events are published"
)
PROJECTED = Counter("checkout_projected_events", "Events handled by the projector")
SET_ASIDE = Gauge(
    "checkout_relay_set_aside_checkouts",
    "Checkouts with a stored event that can't be read: it and later ones are not published",
)
RELAY_LAG = (
    Gauge("checkout_relay_lag_events", "Events recorded and not yet published"),
    Gauge("checkout_relay_lag_seconds", "Age of the oldest event that is not yet published"),
)
PROJECTION_LAG = (
    Gauge(
        "checkout_projection_lag_events",
        "Events not yet projected in the partitions of this process",
    ),
    Gauge("checkout_projection_lag_seconds", "Age of the oldest of them"),
)
COMMAND_LAG = (
    Gauge(
        "checkout_command_lag_commands",
        "Commands not yet handled in the partitions of this process",
    ),
    Gauge("checkout_command_lag_seconds", "Age of the oldest of them"),
)
PAYMENTS = Counter(
    "checkout_payments",
    "Calls of payment providers by outcome: paid, declined, undecided, by_hand, late, refunded",
    ["outcome"],
)
PAYMENTS_BY_HAND = Gauge(
    "checkout_payments_by_hand", "Payment attempts that need manual resolution"
)
PAYMENT_LAG = (
    Gauge("checkout_payment_lag_attempts", "Payment attempts that have not ended"),
    Gauge("checkout_payment_lag_seconds", "Age of the oldest of them"),
)
