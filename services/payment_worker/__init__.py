"""Payments: leases attempts from the store, calls a provider, and records the outcome."""
