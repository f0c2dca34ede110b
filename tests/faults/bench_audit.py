"""An untouched store of many events, audited as a whole: silent, and with flat memory. No test: run it with

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
from tests.faults.running import started
from tests.services.audit.given import Shop, whole_life

_PORTION = 5_000
_COMMANDS = (
    ("audit", "verify"),
    ("audit", "verify", "--without-kafka"),
    ("views", "check"),
)


def a_life() -> list[RecordedEvent]:
    """The first events of a checkout, up to where its payment would start."""
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(f"sqlite:///{Path(folder) / 'events.db'}")
        whole_life(Shop(store))
        events = [item.recorded for item in store.tail(0, 9)]
        store.close()
    return events


def lives(count: int) -> Iterator[RecordedEvent]:
    """So many events, nine for each checkout."""
    life = a_life()
    for number in range(count // len(life)):
        for event in life:
            yield replace(event, checkout_id=f"checkout_{number:08d}")


def fill(store: EventStore, count: int) -> None:
    """Write them to the store, some thousands at a time."""
    portion: list[RecordedEvent] = []
    for event in lives(count):
        portion.append(event)
        if len(portion) == _PORTION:
            store.append(portion)
            portion = []
    store.append(portion)


def timed(servers: Cluster, *arguments: str) -> None:
    """Run a command and print what it says, how long it took and what it needed of memory."""
    begun = time.monotonic()
    process = subprocess.Popen(
        [CHECKOUT, *arguments], env=servers.environment, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    said = process.stdout.read().strip()
    _, status, usage = os.wait4(process.pid, 0)
    seconds, megabytes = time.monotonic() - begun, usage.ru_maxrss // 1024
    ended = os.waitstatus_to_exitcode(status)
    print(f"{' '.join(arguments)}: exit {ended}, {seconds:.1f} s, {megabytes} MiB: {said[-200:]}")


def main() -> None:
    """Fill, let the relay and the projector do their work, and audit."""
    count = int(sys.argv[1])
    with cluster(CHECKOUT_MAX_LAG_EVENTS=str(count + 1)) as servers:
        store = open_store(servers.database)
        fill(store, count)
        asyncio.run(started(servers, "relay", "projector"))
        eventually(lambda: store.position("relay") == store.newest(), within=count / 100)
        for arguments in _COMMANDS:
            timed(servers, *arguments)
        store.close()


if __name__ == "__main__":
    main()
