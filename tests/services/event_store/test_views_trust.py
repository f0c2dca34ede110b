"""The row that names the Redis server to trust is changed by one process at a time, and known to all soon."""

import asyncio
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from projections.redis.trust import Trust, TrustState, distrust
from services.event_store import EventStore, StoreUnavailable
from services.event_store.known import FRESH_SECONDS
from services.event_store.views_trust import ViewsTrust
from tests.eventually import eventually_async

TRUSTED, DISTRUSTED, RETURNING = TrustState.TRUSTED, TrustState.DISTRUSTED, TrustState.RETURNING


def facts(trust: Trust) -> tuple[str, TrustState, int]:
    return trust.run_id, trust.state, trust.change


async def test_a_new_store_trusts_no_server_and_nobody_has_to_wait(store: EventStore):
    trust = await store.views_trust.latest()

    assert facts(trust) == ("", DISTRUSTED, 0)
    assert trust.age > 1_000_000
    async with asyncio.timeout(5):
        await distrust(store.views_trust)


async def test_of_two_changes_at_once_one_is_made(
    database: str, opened: Callable[[str], EventStore]
):
    one, other = opened(database).views_trust, opened(database).views_trust
    for state in (TRUSTED, DISTRUSTED, RETURNING):
        before = one.read_again()
        assert facts(before) == facts(other.read_again())

        won = await asyncio.gather(
            one.move(before, state, "one"), other.move(before, state, "other")
        )

        assert sorted(won) == [False, True]
        winner = "one" if won[0] else "other"
        assert facts(one.read_again()) == (winner, state, before.change + 1)


async def test_a_change_is_known_to_other_processes_within_a_second_and_as_young_as_they_saw_it(
    database: str, opened: Callable[[str], EventStore]
):
    one, other = opened(database).views_trust, opened(database).views_trust
    await other.latest()
    assert await one.move(await one.latest(), TRUSTED, "server")
    await asyncio.sleep(FRESH_SECONDS)

    asked_at = time.monotonic()
    found = await other.latest()

    assert facts(found) == ("server", TRUSTED, 1)
    assert found.since >= asked_at
    await asyncio.sleep(FRESH_SECONDS)
    assert (await other.latest()).since == found.since
    assert one.value.age > found.age


async def test_what_a_slow_store_leaves_open_is_distrusted_and_what_a_lost_one_does_is_kept():
    store = Rows()
    trust = ViewsTrust(store.run)
    assert (await trust.latest()).state is TRUSTED
    await asyncio.sleep(FRESH_SECONDS)

    store.answers.clear()
    try:
        found = await trust.latest()
        assert (found.state, found.change) == (DISTRUSTED, 1)
        assert found.age < FRESH_SECONDS
    finally:
        store.answers.set()

    async def is_trusted() -> bool:
        return (await trust.latest()).state is TRUSTED

    await eventually_async(is_trusted)
    store.failure = StoreUnavailable("down")
    await asyncio.sleep(FRESH_SECONDS)
    assert (await trust.latest()).state is TRUSTED


class Rows:
    """A store with a row that trusts a server, which may be slow or down."""

    def __init__(self) -> None:
        self.answers = threading.Event()
        self.answers.set()
        self.failure: Exception | None = None

    def run(self, statement: str, facts: Mapping[str, Any]) -> list[dict[str, Any]]:
        assert self.answers.wait(30), (statement, facts)
        if self.failure:
            raise self.failure
        return [{"run_id": "server", "state": "trusted", "change": 1}]


async def test_who_distrusts_waits_until_all_know(
    database: str, opened: Callable[[str], EventStore]
):
    one, other = opened(database).views_trust, opened(database).views_trust
    assert await one.move(await one.latest(), TRUSTED, "server")
    assert (await other.latest()).state is not RETURNING

    await distrust(one)

    assert (await other.latest()).state is DISTRUSTED
    assert one.value.age >= FRESH_SECONDS
    assert one.value.run_id == "server"
