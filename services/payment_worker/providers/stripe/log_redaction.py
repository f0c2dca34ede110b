"""Stripe's library logs what it sends and receives, and buyers' tokens are in both: none of that gets out."""

from __future__ import annotations

import logging
import os

import stripe

from services.runtime.settings import BadSetting


def _is_never_told(_: logging.LogRecord) -> bool:
    return False


def _is_warning(record: logging.LogRecord) -> bool:
    """Below that, the HTTP client tells each address with its query."""
    return record.levelno >= logging.WARNING


# Filters hold whatever level somebody sets.
logging.getLogger("stripe").addFilter(_is_never_told)
logging.getLogger("httpx").addFilter(_is_warning)


def redact_logs() -> None:
    """See that the library doesn't print either. Raises `BadSetting` if the environment has it do so."""
    if os.environ.get("STRIPE_LOG"):
        raise BadSetting("STRIPE_LOG must not be set: Stripe's library would print buyers' tokens")
    stripe.log = None
