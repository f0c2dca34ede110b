"""Log lines that an operator can act on: JSON for services, plain text for a person."""

from __future__ import annotations

import logging
import sys
from typing import Any

import orjson
import structlog


def _json(line: dict[str, Any], **_: Any) -> str:
    """Values that JSON has no type for are logged by their `repr`."""
    return orjson.dumps(line, default=repr).decode()


def configure_logging(level: int = logging.INFO, *, as_json: bool = True) -> None:
    """Send all logs to standard error in one format."""
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: structlog.types.Processor = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(),
        # The default would print the variables of each frame, with keys and bodies.
        exception_formatter=structlog.dev.plain_traceback,
    )
    if as_json:
        shared.append(structlog.processors.format_exc_info)
        last = structlog.processors.JSONRenderer(serializer=_json)
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
        )
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
