"""What a waiting request takes for the end of its payment."""

import asyncio

import orjson
from eventsourcing.persistence import StoredEvent

from services.event_store import open_store
from services.event_store.event_mapper import PydanticMapper
from services.http_api.payment_watch import Paying, PaymentWatch
from tests.eventually import eventually_async
from tests.services.event_store.samples import event


async def test_an_event_of_a_later_build_is_not_taken_for_the_end_of_a_payment(tmp_path):
    store = open_store(f"sqlite:///{tmp_path}/events.db")
    store.append([event("known", 1), event("later", 1)])
    watch = PaymentWatch(store)
    await watch.start()
    known, later = Paying("known", 1), Paying("later", 1)
    waiting = asyncio.create_task(watch.end(later, repeated=False))
    ending = asyncio.create_task(watch.end(known, repeated=False))
    try:

        async def both_wait() -> bool:
            return {known, later} <= set(watch._waiting)

        await eventually_async(both_wait)
        state = orjson.loads(PydanticMapper().to_stored_event(event("later", 2)).state)
        row = StoredEvent("later", 2, "CheckoutTeleported:1", orjson.dumps(state))
        # Before the other one, so that a look which finds that one finds this one too.
        store._recorder.insert_events([row])
        store.append([event("known", 2)])

        _, view = await asyncio.wait_for(ending, 15)

        assert view.version == 2
        assert [future.done() for future in watch._waiting[later]] == [False]
    finally:
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await watch.stop()
        store.close()
