"""After the faults: the answers to buyers and the provider's own record, held against the orders."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence

from domain.events import Channel, CheckoutCompleted, PaymentDeclined, RecordedEvent
from services.event_store import EventStore
from services.payment_worker.providers.test.ledger import ChargeLedger
from tests.faults.cluster import Cluster
from tests.faults.ledger import Ledger

Streams = Mapping[str, Sequence[RecordedEvent]]

_CATCH_UP_SECONDS = 60.0


def unfinished_payments(store: EventStore) -> list[str]:
    """No payment runs for ever, and none is left to a person."""
    deadline = time.monotonic() + _CATCH_UP_SECONDS
    while (waiting := store.attempts.waiting()) and time.monotonic() < deadline:
        time.sleep(0.2)
    return [f"{number} payment attempts are still {at}" for at, (number, _) in waiting.items()]


def untrue_answers(ledger: Ledger, streams: Streams) -> list[str]:
    """A 200 is an order, a 402 a decline, and each complete ended in one way."""
    violations = []
    for key, (checkout, status) in ledger.payments.items():
        ends = [
            type(recorded.event)
            for recorded in streams.get(checkout, ())
            if recorded.metadata.command_id == key and recorded.metadata.channel is Channel.INTERNAL
        ]
        if ends != [CheckoutCompleted if status == 200 else PaymentDeclined]:
            violations.append(f"{key} was answered {status}, and its payment ended {ends}")
    return violations


def wrong_charges(cluster: Cluster, streams: Streams) -> list[str]:
    """Nothing is charged twice or for nothing, and no order is made without a charge."""
    charged: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for charge in ChargeLedger(cluster.payments_record).charges():
        if charge.payment_id and not charge.refunded:
            charged[charge.checkout_id].append((charge.payment_id, charge.amount))
    violations = []
    for checkout, stream in streams.items():
        payments = [r.event.payment for r in stream if isinstance(r.event, CheckoutCompleted)]
        ordered, taken = [(it.id, it.amount) for it in payments], charged.pop(checkout, [])
        if taken != ordered or len(ordered) > 1:
            violations.append(f"{checkout}: ordered {ordered}, charged {taken}")
    return violations + [
        f"{name} was charged {taken} for nothing" for name, taken in charged.items()
    ]
