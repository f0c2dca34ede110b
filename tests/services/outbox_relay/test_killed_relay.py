"""A relay that ends at any step, while a stream is set aside or taken up again, leaves no hole."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from aiokafka import TopicPartition

from services.event_store import EventStore
from services.event_store.publication import Publication
from services.event_store.recorder import Statement
from services.kafka.producer_record import ProducerRecord
from services.outbox_relay.relay import OutboxRelay
from tests.eventually import eventually_async
from tests.services.event_store.samples import event, stream
from tests.services.outbox_relay.conftest import RunsRelay, versions_on
from tests.services.outbox_relay.test_set_aside import write
from tests.services.store_restore.given import EventTopic

STEPS = 12
"""Three batches, each sent to Kafka and recorded in a transaction, with an end before and after both."""


class Killer:
    """Makes a relay do nothing more from its nth step on."""

    def __init__(self, relay: OutboxRelay, steps: int) -> None:
        self._left = steps
        publish, advance = relay._publisher.publish, relay._store.publication.advance

        async def publishes(messages: Sequence[ProducerRecord]) -> dict[TopicPartition, int]:
            self._step()
            ends = await publish(messages)
            self._step()
            return ends

        def advances(
            before: Publication, after: Publication, more: Sequence[Statement] = ()
        ) -> bool:
            self._step()
            done = advance(before, after, more)
            self._step()
            return done

        relay._publisher.publish = publishes  # type: ignore[method-assign]
        relay._store.publication.advance = advances  # type: ignore[method-assign]

    @property
    def has_killed(self) -> bool:
        return self._left <= 0

    def _step(self) -> None:
        self._left -= 1
        if self.has_killed:
            raise ConnectionError("killed")


class Life:
    """A damaged row is set aside, then repaired, then more is written: each after the relay is done."""

    def __init__(self, store: EventStore, database: str) -> None:
        store.append([*stream("a", 1, 4), *stream("b", 1, 2)])
        write(database, "a", 2, b"?")
        self._store, self._database = store, database
        self._phase = 0

    def has_ended(self) -> bool:
        """Do what comes next once the relay has done what came before; whether all is done."""
        if self._store.publication.read().position < self._store.newest():
            return False
        aside = bool(self._store.set_aside.all())
        if self._phase == 0 and aside:
            write(self._database, "a", 2)
            self._phase = 1
        elif self._phase == 1 and not aside:
            self._store.append([event("a", 5), event("b", 3)])
            self._phase = 2
            return False
        return self._phase == 2


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("steps", range(1, STEPS + 2))
async def test_what_a_killed_relay_left_is_published_by_the_next_one(
    store: EventStore, database: str, topic: EventTopic, relaying: RunsRelay, steps: int
):
    life = Life(store, database)
    async with relaying() as relay:
        killer = Killer(relay, steps)

        async def is_over() -> bool:
            return killer.has_killed or life.has_ended()

        await eventually_async(is_over, 30)
    assert killer.has_killed == (steps <= STEPS)
    async with relaying():

        async def has_ended() -> bool:
            return life.has_ended()

        await eventually_async(has_ended, 30)

    found = await versions_on(topic)
    assert list(dict.fromkeys(found["a"])) == [1, 2, 3, 4, 5]
    assert list(dict.fromkeys(found["b"])) == [1, 2, 3]
    if not killer.has_killed:
        assert (len(found["a"]), len(found["b"])) == (5, 3)
