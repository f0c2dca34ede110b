"""FastStream's logger, without a line that it logs at each start."""

from __future__ import annotations

import logging

faststream_logger = logging.getLogger("services.kafka.batch_consumer.faststream")


def _is_relevant(record: logging.LogRecord) -> bool:
    """It says that a consumer does not create topics, which is intended."""
    return "Topic creation is skipped" not in str(record.msg)


faststream_logger.addFilter(_is_relevant)
