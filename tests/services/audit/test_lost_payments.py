"""A payment that runs and that nobody works on is told by the audit."""

from services.audit.attempts_check import lost_payments
from services.event_store import AttemptState, EventStore
from tests.services.audit.given import sql
from tests.services.command_handling.given import handler_on
from tests.services.command_handling.paying import attempt_of, complete, ready, taken


def lost(store: EventStore) -> list[str]:
    return [violation.line() for violation in lost_payments(store, store.current(["a"]).values())]


def test_a_payment_that_workers_or_a_person_see_to_is_not_lost(store: EventStore):
    handler_on(store).handle([ready(), complete()])
    assert lost(store) == []

    assert store.attempts.hold(attempt_of(store).attempt_id, 2_000_000_000.0)
    assert attempt_of(store).state == AttemptState.BY_HAND
    assert lost(store) == []


def test_a_payment_whose_attempt_is_gone_is_lost(store: EventStore, database: str):
    handler_on(store).handle([ready(), complete()])
    attempt_id = attempt_of(store).attempt_id

    sql(database, "DELETE FROM payment_attempts")

    [told] = lost(store)
    assert told == f"a version 5: its payment runs, and attempt {attempt_id} waits for nobody"


def test_a_payment_that_ended_since_it_was_read_is_not_lost(store: EventStore):
    handler = handler_on(store)
    handler.handle([ready(), complete()])
    [running] = store.current(["a"]).values()

    handler.handle([taken(attempt_of(store))])

    assert list(lost_payments(store, [running])) == []
