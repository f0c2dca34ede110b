"""In a new epoch a checkout is charged only if the provider has no payment of it."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import pytest

from domain.payment import attempt_id_of
from domain.values import Status
from services.event_store import Attempt, EventStore
from services.payment_worker.payment_gateway import Paid, ProviderPayment, Undecided
from tests.services.command_handling.given import handler_on
from tests.services.command_handling.paying import AMOUNT, attempt_of, complete, turned_down
from tests.services.payment_worker.scripted import (
    Scripted,
    checkout,
    claimed,
    start_payments,
    work_on,
)

HOUR = 3_600.0


def a_payment(store: EventStore, **other: Any) -> ProviderPayment:
    """What the provider has of the checkout: paid under an attempt that the store has lost."""
    lost = attempt_id_of(store.lineage().lineage, "a", 99)
    given: dict[str, Any] = {
        "payment_id": "pay_lost",
        "attempt_id": lost,
        "checkout_id": "a",
        "amount": AMOUNT,
        "currency": "usd",
        "created_at": time.time() - HOUR,
    }
    return ProviderPayment(**given | other)


def epoch_began(store: EventStore, seconds_ago: float) -> None:
    store.begin_epoch()
    statement = "UPDATE lineage SET epoch = :at RETURNING epoch"
    store._run(statement, {"at": int(time.time() - seconds_ago)})


@pytest.fixture
def store(store: EventStore) -> EventStore:
    """A store in a new epoch, with a payment that has started."""
    start_payments(store, "a")
    store.begin_epoch()
    return store


async def worked_on(store: EventStore, provider: Scripted) -> Attempt:
    return await work_on(claimed(store, time.time()), store, provider)


async def test_a_payment_that_is_found_makes_the_order_and_nothing_is_charged(store: EventStore):
    provider = Scripted()
    provider.found = [a_payment(store)]

    attempt = await worked_on(store, provider)

    assert (provider.asked, attempt.state, attempt.payment_id) == ([], "settled", "pay_lost")
    payment = checkout(store).payment
    assert (payment.id, payment.amount) == ("pay_lost", AMOUNT)


async def test_a_store_that_lost_nothing_searches_nothing(store: EventStore):
    store._run("UPDATE lineage SET epoch = 0 RETURNING epoch", {})
    provider = Scripted(Paid("pay_7"))

    assert (await worked_on(store, provider)).payment_id == "pay_7"
    assert provider.looked == []


@pytest.mark.parametrize(
    "found",
    [{"refunded": AMOUNT}, {"attempt_id": attempt_id_of("another0lineage", "a", 4)}],
    ids=["refunded", "of another store"],
)
async def test_what_is_no_payment_of_this_checkout_is_passed_over(
    store: EventStore, found: dict[str, Any]
):
    provider = Scripted(Paid("pay_7"))
    provider.found = [a_payment(store, **found)]

    assert (await worked_on(store, provider)).payment_id == "pay_7"


FOR_AN_OPERATOR = {
    "another amount": [{"amount": AMOUNT + 1}],
    "another currency": [{"currency": "eur"}],
    "refunded in part": [{"refunded": 1}],
    "several": [{}, {"payment_id": "pay_lost_2"}],
    "one that has not ended beside another": [{}, {"payment_id": "pay_2", "is_final": False}],
    "named by an older build": [{"attempt_id": "attempt_" + "0" * 32}],
}


@pytest.mark.parametrize("found", FOR_AN_OPERATOR.values(), ids=FOR_AN_OPERATOR)
async def test_what_a_machine_can_not_tell_is_for_an_operator(
    store: EventStore, found: list[dict[str, Any]]
):
    provider = Scripted()
    provider.found = [a_payment(store, **other) for other in found]

    attempt = await worked_on(store, provider)

    assert (provider.asked, attempt.state) == ([], "by_hand")
    assert "history was lost" in (attempt.note or "")
    assert checkout(store).status is Status.IN_PROGRESS


async def test_a_payment_of_an_attempt_that_the_store_knows_is_for_an_operator(store: EventStore):
    first = attempt_of(store)
    handler_on(store, lambda: datetime.now(UTC)).handle([turned_down(first), complete()])
    provider = Scripted()
    provider.found = [a_payment(store, attempt_id=first.attempt_id)]

    second = await worked_on(store, provider)

    assert (provider.asked, second.note) == (
        [],
        f"history was lost, and the provider has payment pay_lost of attempt {first.attempt_id}",
    )


async def test_an_earlier_payment_that_has_not_ended_is_waited_for(store: EventStore):
    provider = Scripted()
    provider.found = [a_payment(store, is_final=False)]

    attempt = await worked_on(store, provider)

    assert (provider.asked, attempt.state) == ([], "open")
    provider.found = []
    settled = await work_on(claimed(store, attempt.due_at), store, provider)
    assert (len(provider.asked), settled.state) == (1, "settled")


async def test_the_attempts_own_payment_is_brought_to_an_end_while_its_key_is_remembered(
    store: EventStore,
):
    own = attempt_of(store).attempt_id
    provider = Scripted(Paid("pay_7"))
    provider.found = [
        a_payment(store, attempt_id=own, is_final=False, created_at=time.time() - 24 * HOUR)
    ]

    attempt = await worked_on(store, provider)
    assert (provider.asked, attempt.state) == ([], "open")

    provider.found = [a_payment(store, attempt_id=own, is_final=False)]
    settled = await work_on(claimed(store, attempt.due_at), store, provider)
    assert (settled.state, settled.payment_id) == ("settled", "pay_7")


async def test_what_a_search_may_miss_is_found_in_a_list_of_the_time_before_the_epoch(
    store: EventStore,
):
    epoch_began(store, seconds_ago=600.0)
    provider = Scripted()
    provider.search_lag = HOUR
    provider.listed = [a_payment(store, payment_id="pay_9", checkout_id="b"), a_payment(store)]

    attempt = await worked_on(store, provider)

    assert (provider.asked, attempt.payment_id) == ([], "pay_lost")
    [(searched, _, _), (listed, since, until)] = provider.looked
    assert (searched, listed) == ("a", None)
    assert since <= time.time() - HOUR < time.time() - 600.0 <= until


async def test_once_a_search_misses_nothing_that_was_lost_nothing_is_listed(store: EventStore):
    epoch_began(store, seconds_ago=2 * HOUR)
    provider = Scripted(Paid("pay_7"))
    provider.search_lag = HOUR

    assert (await worked_on(store, provider)).payment_id == "pay_7"
    assert [checkout_id for checkout_id, *_ in provider.looked] == ["a"]


async def test_without_an_answer_to_the_search_nothing_is_charged(store: EventStore):
    class Silent(Scripted):
        async def payments(self, *_: Any, **__: Any) -> Any:
            raise Undecided("no answer")
            yield

    provider = Silent()

    attempt = await worked_on(store, provider)

    assert (provider.asked, attempt.state, attempt.note) == ([], "open", "no answer")
