"""How far a reader has come, and the order in which it reads."""

from __future__ import annotations

from services.event_store import EventStore
from tests.services.event_store.conftest import OpenStore
from tests.services.event_store.samples import event, stream


def test_a_reader_begins_at_zero(store: EventStore):
    assert store.position("relay") == 0


def test_a_position_moves_forward_and_never_back(open_another: OpenStore):
    one, other = open_another(), open_another()
    for position in (5, 3, 5, 4):
        one.advance("relay", position)
        assert other.position("relay") == 5
    other.advance("relay", 6)
    assert one.position("relay") == 6


def test_readers_move_each_on_its_own(store: EventStore):
    store.advance("relay", 5)
    store.advance("projector", 2)
    assert (store.position("relay"), store.position("projector")) == (5, 2)


def test_a_rewound_reader_is_at_the_beginning_and_may_move_again(store: EventStore):
    store.advance("relay", 5)
    store.advance("projector", 7)
    store.rewind("relay")
    assert (store.position("relay"), store.position("projector")) == (0, 7)
    store.advance("relay", 1)
    assert store.position("relay") == 1


def test_the_tail_goes_on_after_the_position_it_is_given(store: EventStore):
    written = [*stream("one", 1, 3), *stream("two", 1, 2), event("one", 4)]
    for recorded in written:
        store.append([recorded])
    read, position = [], 0
    while rows := store.tail(position, limit=4):
        assert len(rows) <= 4
        assert [row.position for row in rows] == sorted({row.position for row in rows})
        assert rows[0].position > position
        position = rows[-1].position
        read += [row.recorded for row in rows]
    assert read == written
