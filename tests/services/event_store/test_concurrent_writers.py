"""Whoever reads the tail while many write misses nothing and sees each checkout in order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack

import pytest

from services.event_store import Conflict, EventStore
from services.event_store.recorder import StreamRange
from services.event_store.stored_row import PositionedEvent
from tests.services.event_store.conftest import OpenStore
from tests.services.event_store.processes import running
from tests.services.event_store.samples import event, outcome, stream

WRITERS = 6
BATCHES = 40
SHARED = 8
"""Each so many batches, all writers want the same checkout."""


def write(store: EventStore, writer: int) -> int:
    """Batches of several sizes, on a checkout of the writer's own; returns how many events."""
    version = 0
    for batch in range(BATCHES):
        size = 1 + (batch + writer) % 4
        key = outcome(f"http:{writer}-{batch}", f"own-{writer}", version + size)
        store.append(stream(f"own-{writer}", version + 1, version + size), [key])
        version += size
        if batch % SHARED == 0:
            write_shared(store)
    return version


def write_shared(store: EventStore) -> None:
    """The next version of the checkout that all want, after as many conflicts as it takes."""
    version = 0
    while True:
        found = store.read((), [StreamRange("shared", after=version)]).streams
        version += len(found.get("shared", ()))
        try:
            return store.append([event("shared", version + 1)])
        except Conflict:
            continue


def read_all(store: EventStore, is_over: Callable[[], bool]) -> list[PositionedEvent]:
    """What a relay sees that polls until nobody writes any more."""
    seen: list[PositionedEvent] = []
    while True:
        was_over = is_over()
        rows = store.tail(seen[-1].position if seen else 0, limit=7)
        seen += rows
        if was_over and not rows:
            return seen


def assert_in_order_without_a_hole(seen: list[PositionedEvent]) -> None:
    positions = [row.position for row in seen]
    assert positions == sorted(set(positions))
    versions: dict[str, list[int]] = defaultdict(list)
    for row in seen:
        versions[row.recorded.checkout_id].append(row.recorded.version)
    for checkout_id, found in versions.items():
        assert found == list(range(1, len(found) + 1)), checkout_id


@pytest.mark.parametrize("stores", [1, WRITERS], ids=["one store", "a store each"])
def test_the_tail_misses_nothing_while_many_threads_write(open_another: OpenStore, stores: int):
    opened = [open_another() for _ in range(stores)]
    reader = open_another()
    with ThreadPoolExecutor(WRITERS) as pool:
        writers = [pool.submit(write, opened[n % stores], n) for n in range(WRITERS)]
        seen = read_all(reader, lambda: all(writer.done() for writer in writers))
        wait(writers)
    assert_in_order_without_a_hole(seen)
    shared = sum(row.recorded.checkout_id == "shared" for row in seen)
    assert shared == WRITERS * BATCHES // SHARED
    assert len(seen) - shared == sum(writer.result() for writer in writers)
    keys = [f"http:{writer}-{batch}" for writer in range(WRITERS) for batch in range(BATCHES)]
    assert len(reader.read(keys, ()).outcomes) == WRITERS * BATCHES


def test_the_tail_misses_nothing_while_several_processes_write(database: str, store: EventStore):
    names = ["one", "two", "three"]
    written: dict[str, int] = {}
    with ExitStack() as stack:
        processes = [stack.enter_context(running("write", database, name)) for name in names]

        def follow(number: int) -> None:
            for line in processes[number].stdout:
                written[names[number]] = int(line)
                if written[names[number]] == 100:
                    processes[number].kill()

        with ThreadPoolExecutor(len(names)) as pool:
            followers = [pool.submit(follow, number) for number in range(len(names))]
            seen = read_all(store, lambda: all(follower.done() for follower in followers))
    assert_in_order_without_a_hole(seen)
    for name in names:
        found = sum(row.recorded.checkout_id == name for row in seen)
        # The killed writer may have committed once more than it could tell.
        assert found - written[name] in (0, 1)
        assert written[name] >= 100
