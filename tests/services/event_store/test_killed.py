"""What is left behind by a process that is killed."""

from __future__ import annotations

import os
import signal

from services.event_store import EventStore
from tests.eventually import eventually
from tests.services.event_store.processes import running


def test_the_lock_of_a_killed_process_is_free_again(database: str, store: EventStore):
    with running("hold_lock", database, "relay") as process:
        assert process.stdout.readline() == "held\n"
        assert store.try_lock("relay") is None
        os.kill(process.pid, signal.SIGKILL)
        eventually(lambda: store.try_lock("relay"))


def test_a_killed_writer_leaves_no_event_without_its_outcome(database: str, store: EventStore):
    with running("write", database, "one") as process:
        acknowledged = [int(process.stdout.readline()) for _ in range(25)]
        os.kill(process.pid, signal.SIGKILL)
        acknowledged += [int(line) for line in process.stdout]
    versions = [row.recorded.version for row in store.tail(0, 10_000)]
    assert versions == list(range(1, len(versions) + 1))
    assert len(versions) >= acknowledged[-1]
    outcomes = store.read([f"one:{n}" for n in range(len(versions) + 9)], ()).outcomes
    assert sorted(o.version for o in outcomes.values()) == versions
