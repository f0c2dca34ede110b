"""The golden files: each event as it was first written, under its topic's name, for ever.

`python -m tests.services.event_store.golden` writes those that are missing and never one that is there:
a shape that changes gets a new schema version, with an example and a file of its own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
from eventsourcing.persistence import Notification

from domain.events import RecordedEvent
from services.event_store.event_mapper import PydanticMapper
from services.event_store.stored_row import StoredRow
from tests.services.event_store.examples import EXAMPLES

FOLDER = Path(__file__).parents[2] / "golden"


def path_of(topic: str) -> Path:
    """Where the event of that topic is kept, such as `ItemsUpdated.1.json`."""
    return FOLDER / f"{topic.replace(':', '.')}.json"


def encode(recorded: RecordedEvent) -> dict[str, Any]:
    """The row of an event as a golden file shows it."""
    row = PydanticMapper().to_stored_event(recorded)
    return {
        "topic": row.topic,
        "checkout_id": row.originator_id,
        "version": row.originator_version,
        "state": orjson.loads(row.state),
    }


def decode(golden: dict[str, Any]) -> RecordedEvent:
    """The event in a golden file, read as the store reads it."""
    return row_of(golden).event()


def row_of(golden: dict[str, Any]) -> StoredRow:
    """The row of the event in a golden file."""
    state = orjson.dumps(golden["state"])
    return StoredRow.of(
        Notification(golden["checkout_id"], golden["version"], golden["topic"], state, id=1)
    )


def write_missing() -> None:
    """Write the golden file of each example that has none."""
    for topic, example in EXAMPLES.items():
        if not path_of(topic).exists():
            path_of(topic).write_bytes(
                orjson.dumps(encode(example), option=orjson.OPT_INDENT_2) + b"\n"
            )


if __name__ == "__main__":
    write_missing()
