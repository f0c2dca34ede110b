"""The writer thread: what queues up shares a batch, and trouble costs only who causes it."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import pytest
from eventsourcing.persistence import StoredEvent
from redis.exceptions import ConnectionError as RedisConnectionError

from domain.commands import UpdateCheckout
from domain.merchant_book import BookItem
from domain.rejection import undecidable
from projections.registry import RenderedView
from services.command_handling import CommandEnvelope, Failed, GroupCommitter, Overloaded, Rejected
from services.command_handling.handler import Handler
from services.command_handling.view_writer import ViewWriter
from services.event_store import EventStore
from services.event_store.side_row_encoder import side_row_encoder
from tests.eventually import eventually_async
from tests.projections.given import TrustedServer
from tests.services.command_handling.given import (
    BOOK,
    NOON,
    TOKEN_KEYS,
    FailingStore,
    accepted,
    create,
    envelope,
    handler_on,
    update,
    versions,
)


class Shown(TrustedServer):
    """Views that are shown at once, or fail as often as they are told to."""

    def __init__(self) -> None:
        self.views: dict[str, int] = {}
        self.failures: list[Callable[[], Exception | None]] = []

    async def apply(self, views: Sequence[RenderedView]) -> bool:
        if self.failures and (error := self.failures.pop(0)()):
            raise error
        for view in views:
            self.views[view.checkout_id] = max(view.version, self.views.get(view.checkout_id, 0))
        return True


class Treacherous(type(BOOK)):
    def item(self, item_id: str) -> BookItem | None:
        if item_id == "poison":
            raise ZeroDivisionError
        return super().item(item_id)


@asynccontextmanager
async def writer_on(
    store: object, shown: Shown | None = None, handler: Handler | None = None, **more: int
) -> AsyncIterator[GroupCommitter]:
    writer = GroupCommitter(handler or handler_on(store), ViewWriter(shown or Shown()), **more)
    writer.start()
    try:
        yield writer
    finally:
        await writer.stop()


def is_unhealthy(writer: GroupCommitter) -> Callable[[], Awaitable[bool]]:
    async def check() -> bool:
        return not writer.is_healthy

    return check


async def test_what_is_written_is_shown_before_it_is_answered(store: EventStore):
    shown = Shown()
    async with writer_on(store, shown) as writer:
        [answer] = await writer.submit([create()])

        assert accepted(answer).readable
        assert shown.views == {"a": 3}


async def test_submissions_that_come_together_are_answered_each_with_its_own(store: EventStore):
    async with writer_on(store) as writer:
        answers = await asyncio.gather(
            *(writer.submit([create(f"c{n}", quantity=n)]) for n in range(1, 51))
        )

    shown = [accepted(answer).view.checkout_id for [answer] in answers]
    assert shown == [f"c{n}" for n in range(1, 51)]


async def test_a_view_that_can_not_be_shown_makes_the_answer_say_so(store: EventStore):
    shown = Shown()
    shown.failures = [lambda: RedisConnectionError("gone")]
    async with writer_on(store, shown) as writer:
        [first] = await writer.submit([create()])
        [soon_after] = await writer.submit([update()])

        assert not accepted(first).readable
        assert not accepted(soon_after).readable
        assert versions(store) == [1, 2, 3, 4, 5]

        await writer.show_for_certain([first, soon_after])
        assert shown.views == {"a": 5}


async def test_a_hung_read_model_holds_a_write_up_for_half_a_second_at_most(store: EventStore):
    class Hung(Shown):
        async def apply(self, views: Sequence[RenderedView]) -> bool:
            await asyncio.Event().wait()
            return True

    async with writer_on(store, Hung()) as writer, asyncio.timeout(5):
        [answer] = await writer.submit([create()])

    assert not accepted(answer).readable


async def test_a_command_that_trips_our_own_code_fails_alone(store: EventStore):
    book = Treacherous.model_validate(BOOK.model_dump())
    handler = Handler(store, book, lambda: NOON, side_row_encoder(TOKEN_KEYS.encrypt))
    batch = [create(f"c{n}") for n in range(20)]
    batch[7] = create("c7", item_id="poison")

    async with writer_on(store, handler=handler) as writer:
        answers = await writer.submit(batch)
        assert answers[7] == Failed(checkout_version=0)
        assert store.read([batch[7].key], []).outcomes == {}

    others = answers[:7] + answers[8:]
    assert [accepted(answer).view.version for answer in others] == [3] * 19


async def test_a_failure_tells_the_version_that_its_checkout_was_at(store: EventStore):
    handler_on(store).handle([create()])
    book = Treacherous.model_validate(BOOK.model_dump())
    handler = Handler(store, book, lambda: NOON, side_row_encoder(TOKEN_KEYS.encrypt))
    poison = UpdateCheckout.parse({"items": [{"id": "poison", "quantity": 1}]})

    async with writer_on(store, handler=handler) as writer:
        assert await writer.submit([envelope(poison)]) == [Failed(checkout_version=3)]


async def test_a_stream_that_cannot_be_read_leaves_its_own_commands_undecided(store: EventStore):
    handler_on(store).handle([create()])
    unreadable = StoredEvent("a", 4, "Teleported:1", b"?")
    store._recorder.insert_events([unreadable])
    async with writer_on(store) as writer:
        answers = await writer.submit([create("b"), update(), create("c")])

    assert answers[1] == Rejected(undecidable())
    assert [accepted(answer).view.version for answer in answers[::2]] == [3, 3]


async def test_a_store_that_is_away_delays_commands_and_loses_none(store: EventStore):
    failing = FailingStore(store)
    failing.fail_before_commit, failing.fail_after_commit = 2, 1
    async with writer_on(failing) as writer, asyncio.timeout(10):
        answers = await asyncio.gather(*(writer.submit([create(f"c{n}")]) for n in range(5)))

        assert all(accepted(answer).view.version == 3 for [answer] in answers)
        assert writer.is_healthy


async def test_it_stops_in_time_while_the_store_is_away(store: EventStore):
    failing = FailingStore(store)
    failing.fail_before_commit = 1_000_000
    writer = GroupCommitter(handler_on(failing), ViewWriter(Shown()))
    writer.start()
    waiting = asyncio.create_task(writer.submit([create()]))
    await eventually_async(is_unhealthy(writer))
    async with asyncio.timeout(10):
        await writer.stop()

    assert not waiting.done()
    waiting.cancel()
    assert versions(store) == []


async def test_a_full_queue_turns_writes_away_at_once(store: EventStore):
    failing = FailingStore(store)
    failing.fail_before_commit = 1_000_000
    async with writer_on(failing, max_queue=2) as writer:
        waiting = [asyncio.create_task(writer.submit([create("first")]))]
        await eventually_async(is_unhealthy(writer))
        waiting += [asyncio.create_task(writer.submit([create(f"c{n}")])) for n in range(2)]
        await asyncio.sleep(0)

        with pytest.raises(Overloaded):
            await writer.submit([create("one too many")])
        failing.fail_before_commit = 0
        async with asyncio.timeout(10):
            await asyncio.gather(*waiting)


async def test_one_that_waited_too_long_in_the_queue_is_dropped(store: EventStore):
    late: CommandEnvelope = create(expires_at=time.monotonic() - 0.001)
    async with writer_on(store) as writer:
        [answer] = await writer.submit([late])

    assert not isinstance(answer, Rejected | Failed)
    assert versions(store) == []
