"""What operators can count: the Prometheus metrics of all services, in one place."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

COMMANDS = Counter("checkout_commands", "Commands by what became of them", ["outcome"])
BATCH_SIZE = Histogram(
    "checkout_batch_size", "Commands that shared a transaction", buckets=(1, 2, 5, 10, 50, 100, 500)
)
HANDLE_SECONDS = Histogram("checkout_handle_seconds", "Deciding on and recording one batch")
DEAD_LETTERS = Counter("checkout_dead_letters", "Messages put aside", ["reason"])
HTTP_SECONDS = Histogram("checkout_http_seconds", "HTTP requests", ["method", "route", "status"])
VIEWS_FROM = Counter("checkout_views_read", "Views served, by where they came from", ["origin"])
RELAYED = Counter("checkout_relayed_events", "Events published to Kafka")
RELAY_POSITION = Gauge(
    "checkout_relay_position", "Position in the event store up to which events are published"
)
PROJECTED = Counter("checkout_projected_events", "Events seen by the projector")
