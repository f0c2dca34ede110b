"""Payments: attempts that wait in the store are claimed, asked of a provider, and settled."""
