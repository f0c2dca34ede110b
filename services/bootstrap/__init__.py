"""Composition root: one module per process builds its parts and runs them."""
