"""The names under which readers of the store keep how far they have come."""

from __future__ import annotations

RELAY = "relay"
"""What lies up to here has been acknowledged by Kafka."""
