"""Payment audit after the faults: compares responses and the provider's ledger with the orders."""

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
    """Attempts that are still open, or that wait for manual resolution."""
    deadline = time.monotonic() + _CATCH_UP_SECONDS
    while (waiting := store.attempts.waiting()) and time.monotonic() < deadline:
        time.sleep(0.2)
    return [f"{number} payment attempts are still {at}" for at, (number, _) in waiting.items()]


def contradicted_answers(ledger: Ledger, streams: Streams) -> list[str]:
    """Responses that contradict the recorded outcome: a 200 needs an order, a 402 a decline."""
    violations = []
    for key, (checkout, status) in ledger.payments.items():
        outcomes = [
            type(recorded.event)
            for recorded in streams.get(checkout, ())
            if recorded.metadata.command_id == key and recorded.metadata.channel is Channel.INTERNAL
        ]
        if outcomes != [CheckoutCompleted if status == 200 else PaymentDeclined]:
            violations.append(f"{key} was answered {status}, and its payment ended {outcomes}")
    return violations


def wrong_charges(cluster: Cluster, streams: Streams) -> list[str]:
    """Charges without an order, orders without a charge, and double charges."""
    charged: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for charge in ChargeLedger(cluster.payments_record).charges():
        if charge.payment_id and not charge.refunded:
            charged[charge.checkout_id].append((charge.payment_id, charge.amount))
    violations = []
    for checkout, stream in streams.items():
        payments = [r.event.payment for r in stream if isinstance(r.event, CheckoutCompleted)]
        ordered_payments, charged_payments = (
            [(payment.id, payment.amount) for payment in payments],
            charged.pop(checkout, []),
        )
        if charged_payments != ordered_payments or len(ordered_payments) > 1:
            violations.append(f"{checkout}: ordered {ordered_payments}, charged {charged_payments}")
    return violations + [
        f"{name} was charged {charged_payments} without an order"
        for name, charged_payments in charged.items()
    ]
