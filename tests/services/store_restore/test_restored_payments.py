"""The attempts and outcomes of payments after an import: settled as the events say, or left to a person."""

import time
from datetime import UTC, datetime

import pytest

from domain.commands import RecordDecline, RecordPayment
from domain.events import Channel
from domain.rejection import RejectionCode
from services.command_handling import Rejected
from services.event_store import Attempt, AttemptState, EventStore
from services.payment_worker.manual_resolution import resolve
from tests.services.command_handling.given import BOOK, accepted, handler_on
from tests.services.command_handling.paying import attempt_of, complete, ready, taken, turned_down
from tests.services.store_restore.given import EventTopic, back_up, restore_backup

HTTP = {"channel": Channel.HTTP, "source": "key POST /complete", "actor": "key"}
KAFKA = {"actor": "/tests"}


async def test_a_lost_payment_whose_end_is_on_kafka_is_settled(
    store: EventStore, database: str, topic: EventTopic
):
    handler = handler_on(store)
    handler.handle([ready()])
    back_up(database)
    command = complete(**HTTP)
    handler.handle([command])
    handler.handle([taken(attempt_of(store))])
    paid = attempt_of(store)
    completed = store.version("a")
    await topic.publish(store)

    restore_backup(database)
    assert not store.attempts.page(list(AttemptState))
    await topic.report(store)
    attempt = attempt_of(store)
    assert (attempt.state, attempt.payment_id) == (AttemptState.SETTLED, "pay_1")
    assert same_payment(attempt) == same_payment(paid)
    [answer] = handler_on(store).handle([command])
    assert accepted(answer).repeated
    assert accepted(answer).view.version == completed


async def test_an_attempt_that_the_backup_has_open_is_settled(
    store: EventStore, database: str, topic: EventTopic
):
    handler = handler_on(store)
    handler.handle([ready()])
    command = complete(**HTTP)
    handler.handle([command])
    await topic.publish(store)
    back_up(database)
    handler.handle([turned_down(attempt_of(store))])
    await topic.publish(store)

    restore_backup(database)
    assert attempt_of(store).state == AttemptState.OPEN
    await topic.report(store)
    attempt = attempt_of(store)
    assert (attempt.state, attempt.sealed) == (AttemptState.SETTLED, None)
    [answer] = handler_on(store).handle([command])
    assert isinstance(answer, Rejected)
    assert answer.rejection.code is RejectionCode.PAYMENT_DECLINED


async def test_a_lost_payment_without_an_end_waits_for_a_person(
    store: EventStore, database: str, topic: EventTopic
):
    handler = handler_on(store)
    handler.handle([ready()])
    back_up(database)
    command = complete(**KAFKA)
    handler.handle([command])
    started, version = attempt_of(store), store.version("a")
    await topic.publish(store)

    restore_backup(database)
    await topic.report(store)
    attempt = attempt_of(store)
    assert (attempt.state, attempt.sealed) == (AttemptState.BY_HAND, None)
    assert "look for the payment at the provider" in (attempt.note or "")
    assert same_payment(attempt) == same_payment(started)
    assert not store.attempts.claim("worker", time.time() + 9, 30, 5)
    [answer] = handler_on(store).handle([command])
    assert accepted(answer).view.version == version


@pytest.mark.parametrize("is_paid", [True, False], ids=["paid", "declined"])
async def test_a_person_can_resolve_a_lost_payment_without_an_end(
    store: EventStore, database: str, topic: EventTopic, *, is_paid: bool
):
    handler_on(store).handle([ready()])
    back_up(database)
    command = complete(**HTTP)
    handler_on(store).handle([command])
    attempt_id = attempt_of(store).attempt_id
    await topic.publish(store)
    restore_backup(database)
    await topic.report(store)

    decline = RecordDecline(attempt_id=attempt_id, code="by_hand", message="Nothing was charged.")
    found = RecordPayment(attempt_id=attempt_id, payment_id="pay_1") if is_paid else decline
    resolve(store, BOOK, lambda: datetime.now(UTC), found, "operator")

    assert (attempt_of(store).state, attempt_of(store).payment_id) == (
        AttemptState.SETTLED,
        "pay_1" if is_paid else None,
    )
    [answer] = handler_on(store).handle([command])
    assert isinstance(answer, Rejected) is not is_paid


async def test_no_payment_is_worked_on_while_writes_are_stopped(store: EventStore):
    handler = handler_on(store)
    handler.handle([ready()])
    handler.handle([complete()])
    later = time.time() + 10**9
    store.write_guard.stop("restored")
    assert not store.attempts.claim("worker", later, 30, 5)
    store.write_guard.release(store.publication.read(), begin_epoch=False)
    assert store.attempts.claim("worker", later, 30, 5)


def same_payment(attempt: Attempt) -> tuple[object, ...]:
    """What the imported row has in common with the lost one."""
    return (
        attempt.attempt_id,
        attempt.checkout_id,
        attempt.command_key,
        attempt.amount,
        attempt.currency,
        attempt.provider,
        attempt.metadata,
        attempt.started_at,
    )
