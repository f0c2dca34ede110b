"""Keeps buyers' tokens out of the logs: Stripe's library logs what it sends and receives."""

from __future__ import annotations

import logging
import os

import stripe

from services.runtime.settings import BadSetting


def _is_never_logged(_: logging.LogRecord) -> bool:
    return False


def _is_warning(record: logging.LogRecord) -> bool:
    """Below that level, the HTTP client logs each address with its query."""
    return record.levelno >= logging.WARNING


# Filters hold whatever level is set.
logging.getLogger("stripe").addFilter(_is_never_logged)
logging.getLogger("httpx").addFilter(_is_warning)


def redact_logs() -> None:
    """Make sure that the library does not print either. Raises `BadSetting` if the environment makes it."""
    if os.environ.get("STRIPE_LOG"):
        raise BadSetting("STRIPE_LOG must not be set: Stripe's library would print buyers' tokens")
    stripe.log = None
