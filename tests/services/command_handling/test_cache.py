"""What a handler keeps in memory is bounded, and never believed against the store."""

import sqlite3
from pathlib import Path

from services.command_handling.checkout_cache import CheckoutCache
from services.event_store import EventStore
from tests.services.command_handling.given import (
    accepted,
    create,
    handler_on,
    stream,
    update,
    versions,
)


def test_a_store_that_lost_its_tail_is_believed_and_not_the_memory_of_it(
    store: EventStore, tmp_path: Path
):
    handler = handler_on(store)
    handler.handle([create(), update(quantity=2)])
    with sqlite3.connect(tmp_path / "events.db") as restored:
        restored.execute("DELETE FROM stored_events WHERE originator_version > 3")
    restored.close()

    [answer] = handler.handle([update(quantity=5)])

    assert accepted(answer).view.version == 5
    assert versions(store) == [1, 2, 3, 4, 5]


def test_another_event_in_the_place_of_the_known_one_is_noticed(store: EventStore, tmp_path: Path):
    handler = handler_on(store)
    handler.handle([create()])
    with sqlite3.connect(tmp_path / "events.db") as restored:
        restored.execute("DELETE FROM stored_events")
    restored.close()
    handler_on(store).handle([create(quantity=7)])

    [answer] = handler.handle([update(quantity=7)])

    assert accepted(answer).view.version == 3


def test_the_cache_forgets_what_was_unused_for_longest_when_lines_run_out(store: EventStore):
    handler = handler_on(store)
    handler.handle([create(name) for name in "abc"])
    cache = CheckoutCache(lines=4)
    known = {name: handler._cache.get(name) for name in "abc"}

    for name in ("a", "b", "a", "c"):
        cache.keep(known[name])

    assert [name for name in "abc" if cache.get(name)] == ["a", "c"]
    assert known["a"].last == stream(store, "a")[-1]
    cache.clear()
    assert cache.get("a") is None
