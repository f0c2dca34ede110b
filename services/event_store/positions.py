"""The names of the positions that readers keep in the store."""

from __future__ import annotations

RELAY = "relay"
"""Kafka has acknowledged the events up to this position."""
