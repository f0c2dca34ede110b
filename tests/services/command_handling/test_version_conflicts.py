"""Several processes write the same checkouts; the store refuses the late one, and it decides again."""

import threading
from pathlib import Path
from typing import Any

import pytest

from services.command_handling import CommandEnvelope, Handler
from services.event_store import Conflict, EventStore, StoreUnavailable, open_store
from tests.services.command_handling.given import (
    FailingStore,
    accepted,
    cancel,
    create,
    handler_on,
    update,
    versions,
)


def test_a_handler_with_an_old_state_in_its_cache_decides_on_the_new_one(store: EventStore):
    mine, theirs = handler_on(store), handler_on(store)
    mine.handle([create()])
    theirs.handle([update(quantity=5)])

    [answer] = mine.handle([update(quantity=6)])

    assert accepted(answer).view.version == 7
    assert versions(store) == [*range(1, 8)]


def test_a_rival_between_reading_and_writing_makes_it_begin_again(store: EventStore):
    handler_on(store).handle([create()])
    rivals = [update(quantity=50), cancel()]

    class Overtaken(FailingStore):
        def append(self, *written: Any) -> None:
            if rivals:
                handler_on(store).handle([rivals.pop(0)])
            super().append(*written)

    [answer] = handler_on(Overtaken(store)).handle([update(quantity=6)])

    assert getattr(answer, "rejection", None) is not None
    assert versions(store) == [*range(1, 7)]


def test_conflicts_without_end_are_a_fault_and_not_a_loop(store: EventStore):
    class Hopeless(FailingStore):
        def append(self, *written: Any) -> None:
            raise Conflict("again")

    with pytest.raises(RuntimeError, match="conflicts in a row"):
        handler_on(Hopeless(store)).handle([create()])


def test_four_handlers_lose_no_write_on_one_checkout(store: EventStore, tmp_path: Path):
    handler_on(store).handle([create()])
    written: list[int] = []

    def write(number: int) -> None:
        own = open_store(f"sqlite:///{tmp_path / 'events.db'}")
        handler = handler_on(own)
        for turn in range(25):
            [answer] = handler.handle([update(quantity=100 * number + turn + 2)])
            written.append(accepted(answer).view.version)
        own.close()

    threads = [threading.Thread(target=write, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert len(written) == len(set(written)) == 100
    assert versions(store) == [*range(1, 204)]


@pytest.mark.parametrize("remembered", [True, False], ids=["remembered", "without an outcome"])
def test_a_connection_lost_in_the_commit_does_not_make_it_act_twice(
    store: EventStore, *, remembered: bool
):
    failing = FailingStore(store)
    handler = handler_on(failing)
    handler.handle([create()])
    failing.fail_after_commit = 1
    command = update(remembered=remembered)

    answer = handled_at_last(handler, command)

    assert accepted(answer).view.version == 5
    assert versions(store) == [1, 2, 3, 4, 5]


def test_a_connection_lost_before_the_commit_loses_nothing(store: EventStore):
    failing = FailingStore(store)
    failing.fail_before_commit = 3

    answer = handled_at_last(handler_on(failing), create())

    assert accepted(answer).view.version == 3
    assert versions(store) == [1, 2, 3]


def handled_at_last(handler: Handler, command: CommandEnvelope) -> object:
    for _ in range(10):
        try:
            [answer] = handler.handle([command])
        except StoreUnavailable:
            handler.forget()
        else:
            return answer
    raise AssertionError("never handled")
