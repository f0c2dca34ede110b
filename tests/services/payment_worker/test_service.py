"""The payment service: workers share what is due, see what is new, and stop when their work is done."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

from domain.values import Status
from services.event_store import EventStore, open_store
from services.payment_worker.payment_gateway import Charge, Paid, Undecided
from tests.eventually import eventually_async
from tests.services.command_handling.paying import attempts_of
from tests.services.payment_worker.scripted import Scripted, service_on, start_payments, writer_on


async def test_two_services_share_the_attempts_and_ask_each_once(store: EventStore, tmp_path: Path):
    names = [f"c{n}" for n in range(20)]
    start_payments(store, *names)
    provider = Scripted()
    async with AsyncExitStack() as stack:
        services = []
        for _ in range(2):
            own = open_store(f"sqlite:///{tmp_path / 'events.db'}")
            stack.callback(own.close)
            writer = await stack.enter_async_context(writer_on(own))
            services.append(service_on(own, writer, provider, 3))
        await asyncio.gather(*(service.start() for service in services))
        for service in services:
            stack.push_async_callback(service.stop)
        await eventually_async(are_settled(store), within=30)

    asked = [charge.attempt_id for charge in provider.asked]
    assert sorted(asked) == sorted(attempt.attempt_id for attempt in attempts_of(store))
    assert len(asked) == 20
    assert {c.status for c in store.current(names).values()} == {Status.COMPLETED}


def are_settled(store: EventStore) -> Callable[[], Awaitable[bool]]:
    async def check() -> bool:
        return all(attempt.state == "settled" for attempt in attempts_of(store))

    return check


async def test_a_stop_finishes_what_is_in_hand_and_claims_no_more(store: EventStore):
    answer_it = asyncio.Event()

    async def answer(_: Charge) -> Paid:
        await answer_it.wait()
        return Paid("pay_7")

    provider = Scripted(answer)
    start_payments(store, "a", "b")
    async with writer_on(store) as writer:
        service = service_on(store, writer, provider, 1)
        await service.start()
        await eventually_async(asked_by(provider))
        claiming, stopping = service._task._task, asyncio.create_task(service.stop())
        await asyncio.wait([claiming], timeout=10)
        answer_it.set()
        await stopping

    assert (len(provider.asked), provider.is_closed) == (1, True)
    states = {a.checkout_id: a.state for a in attempts_of(store)}
    assert sorted(states.values()) == ["open", "settled"]


def asked_by(provider: Scripted) -> Callable[[], Awaitable[bool]]:
    async def check() -> bool:
        return bool(provider.asked)

    return check


async def test_a_payment_that_starts_while_a_service_runs_is_settled_soon(store: EventStore):
    async with writer_on(store) as writer:
        provider = Scripted(Undecided("no answer"))
        service = service_on(store, writer, provider, 4)
        await service.start()
        start_payments(store, "a")
        await eventually_async(are_settled(store))
        await service.stop()

    assert len(provider.asked) == 2
    assert len(set(provider.asked)) == 1
