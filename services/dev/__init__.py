"""The whole system in one process, with nothing installed: for a first look and for development."""

from __future__ import annotations


class DevError(Exception):
    """The development system can't run, or the demo's scenario went wrong."""
