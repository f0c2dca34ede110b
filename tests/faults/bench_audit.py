"""Benchmark of the audit of a large intact store: time and memory. Not a test; run it with

python -m tests.faults.bench_audit 100000
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from domain.events import RecordedEvent
from services.event_store import EventStore, open_store
from tests.eventually import eventually
from tests.faults.cluster import CHECKOUT, Cluster, cluster
from tests.faults.load_run import start_services
from tests.services.audit.given import Shop, whole_life

_BATCH_SIZE = 5_000
_COMMANDS = (
    ("audit", "verify"),
    ("audit", "verify", "--without-kafka"),
    ("views", "check"),
)


def checkout_events() -> list[RecordedEvent]:
    """The first nine events of a checkout, up to the start of its payment."""
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(f"sqlite:///{Path(folder) / 'events.db'}")
        whole_life(Shop(store))
        events = [item.recorded for item in store.tail(0, 9)]
        store.close()
    return events


def copies(count: int) -> Iterator[RecordedEvent]:
    """About `count` events, nine for each checkout."""
    events = checkout_events()
    for number in range(count // len(events)):
        for event in events:
            yield replace(event, checkout_id=f"checkout_{number:08d}")


def fill(store: EventStore, count: int) -> None:
    """Write the events to the store in batches."""
    batch: list[RecordedEvent] = []
    for event in copies(count):
        batch.append(event)
        if len(batch) == _BATCH_SIZE:
            store.append(batch)
            batch = []
    store.append(batch)


def run_timed(servers: Cluster, *arguments: str) -> None:
    """Run a command; prints its output, duration and peak memory."""
    started_at = time.monotonic()
    process = subprocess.Popen(
        [CHECKOUT, *arguments], env=servers.environment, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    output = process.stdout.read().strip()
    _, status, usage = os.wait4(process.pid, 0)
    seconds, megabytes = time.monotonic() - started_at, usage.ru_maxrss // 1024
    exit_status = os.waitstatus_to_exitcode(status)
    print(
        f"{' '.join(arguments)}: exit {exit_status}, {seconds:.1f} s, {megabytes} MiB: {output[-200:]}"
    )


def main() -> None:
    """Fill the store, wait for the relay, and run the audit commands."""
    count = int(sys.argv[1])
    with cluster(CHECKOUT_MAX_LAG_EVENTS=str(count + 1)) as servers:
        store = open_store(servers.database)
        fill(store, count)
        asyncio.run(start_services(servers, "relay", "projector"))
        eventually(lambda: store.position("relay") == store.newest(), within=count / 100)
        for arguments in _COMMANDS:
            run_timed(servers, *arguments)
        store.close()


if __name__ == "__main__":
    main()
