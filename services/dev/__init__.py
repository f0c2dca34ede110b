"""The whole system in one process, with nothing else installed."""

from __future__ import annotations


class DevError(Exception):
    """The development system can't run, or the demo's scenario went wrong."""
