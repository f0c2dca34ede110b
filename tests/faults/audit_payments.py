"""Payment audit after the faults: compares responses and the provider's ledger with the orders."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence

from domain.events import Channel, CheckoutCompleted, PaymentDeclined, RecordedEvent
from services.event_store import EventStore
from services.payment_worker.providers.test.ledger import ChargeLedger
from tests.faults.audit_topic import PublishedEvents
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


def contradicted_answers(ledger: Ledger, streams: Streams, published: PublishedEvents) -> list[str]:
    """Responses that contradict the recorded outcome: a 200 needs an order, a 402 a decline.

    The outcome may have been lost if it was never published.
    """
    violations = []
    for key, (checkout, status) in ledger.payments.items():
        outcomes = [
            type(recorded.event)
            for recorded in streams.get(checkout, ())
            if recorded.metadata.command_id == key and recorded.metadata.channel is Channel.INTERNAL
        ]
        path = f"tests POST /v1/checkouts/{checkout}/complete"
        is_published = bool(published.of_command(path, key))
        if not outcomes and key in ledger.before_loss and not is_published:
            continue
        if outcomes != [CheckoutCompleted if status == 200 else PaymentDeclined]:
            violations.append(f"{key} was answered {status}, and its payment ended {outcomes}")
    return violations


def wrong_charges(cluster: Cluster, ledger: Ledger, streams: Streams) -> list[str]:
    """Charges without an order, orders without a charge, and double charges.

    One charge for a checkout from before a loss may have lost its order.
    """
    charged: dict[str, list[tuple[str, int]]] = defaultdict(list)
    late: set[str] = set()
    for charge in ChargeLedger(cluster.payments_record).charges():
        if charge.payment_id and not charge.refunded:
            charged[charge.checkout_id].append((charge.payment_id, charge.amount))
            if charge.charged_at is None or charge.charged_at > ledger.lost_at:
                late.add(charge.checkout_id)
    ordered = {
        checkout
        for checkout, stream in streams.items()
        if any(isinstance(r.event, CheckoutCompleted) for r in stream)
    }
    for checkout in charged.keys() - ordered - late:
        if len(charged[checkout]) == 1:
            del charged[checkout]
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
