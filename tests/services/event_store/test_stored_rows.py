"""Rows that are not read yet: in the order of commits, and stream by stream."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from eventsourcing.persistence import StoredEvent

from services.event_store import EventStore
from services.event_store.event_mapper import UnreadableEvent
from services.event_store.stored_row import StoredRow
from tests.services.event_store.samples import event, stream


def paged(read: Callable[[str, int], list[StoredRow]]) -> Iterator[StoredRow]:
    last = ("", 0)
    while page := read(*last):
        yield from page
        last = page[-1].checkout_id, page[-1].version


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_all_streams_are_gone_through_one_after_the_other(store: EventStore, size: int):
    ids = ["b", "a", "B", "_", "-", "a-b", "10", "9"]
    for version in (1, 2, 3):
        store.append([event(checkout_id, version) for checkout_id in ids])

    rows = list(paged(lambda *last: store.stream_rows(*last, size)))

    assert [row.version for row in rows] == [1, 2, 3] * len(ids)
    assert sorted({row.checkout_id for row in rows}) == sorted(ids)
    assert all(row.checkout_id == rows[n // 3 * 3].checkout_id for n, row in enumerate(rows))


def test_one_stream_alone_is_read_from_a_version_on(store: EventStore):
    store.append([*stream("a", 1, 12), *stream("ab", 1, 2)])

    rows = store.stream_rows("a", 8, 3, within=True)

    assert [(row.checkout_id, row.version) for row in rows] == [("a", 9), ("a", 10), ("a", 11)]
    assert store.stream_rows("a", 12, 3, within=True) == []
    assert [row.event() for row in store.stream_rows("ab", 0, 9, within=True)] == stream("ab", 1, 2)


def test_rows_in_the_order_of_commits_stand_where_the_tail_has_them(store: EventStore):
    store.append(stream("b", 1, 2))
    store.append(stream("a", 1, 2))

    rows = store.rows(0, 10)

    assert [(row.position, row.event()) for row in rows] == [
        (item.position, item.recorded) for item in store.tail(0, 10)
    ]
    assert store.rows(rows[1].position, 1) == rows[2:3]
    assert {row.position for row in store.stream_rows("", 0, 10)} == {row.position for row in rows}


def test_a_row_that_cannot_be_read_hides_no_other(store: EventStore):
    store.append([event("a", 1)])
    store._recorder.insert_events([StoredEvent("a", 2, "Teleported:1", b"")])
    store.append([event("b", 1)])

    for rows in (store.rows(0, 10), store.stream_rows("", 0, 10)):
        [broken] = [row for row in rows if row.topic == "Teleported:1"]
        assert (broken.checkout_id, broken.version) == ("a", 2)
        with pytest.raises(UnreadableEvent, match="a version 2"):
            broken.event()
        assert {row.checkout_id for row in rows if row is not broken} == {"a", "b"}
