"""The logger that FastStream is given, without what is said at each start and means nothing here."""

from __future__ import annotations

import logging

faststream_logger = logging.getLogger("services.kafka.subscription.faststream")


def _is_news(record: logging.LogRecord) -> bool:
    """Each start says that topics are not created by a consumer, which is as it should be."""
    return "Topic creation is skipped" not in str(record.msg)


faststream_logger.addFilter(_is_news)
