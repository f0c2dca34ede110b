"""A fresh store for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.event_store import EventStore, open_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EventStore]:
    opened = open_store(f"sqlite:///{tmp_path / 'events.db'}")
    yield opened
    opened.close()
