"""Reads the payments that Stripe has recorded, by the metadata that a charge sends."""

from __future__ import annotations

from typing import Any

from services.payment_worker.payment_gateway import ProviderPayment

PAGE = 100
"""The most that Stripe returns at once."""

EXPANDED = "latest_charge"
"""Holds how much of a payment was refunded: its intent remains `succeeded`."""

SEARCH_LAG = 3_600.0
"""Stripe's search shows a payment within a minute, and up to an hour later during an outage; its lists
show it at once: https://docs.stripe.com/api/payment_intents/search"""

_NOTHING_TAKEN = ("canceled", "requires_payment_method")
"""The statuses of an intent that took no money, and takes none without another confirmation of ours."""


def search_params(checkout_id: str, page: str | None) -> Any:
    """The search for a checkout's payments. The id has no character that the query language needs escaped."""
    params: dict[str, Any] = {"query": f"metadata['checkout_id']:'{checkout_id}'", "limit": PAGE}
    return params | ({"page": page} if page else {})


def list_params(since: float, until: float | None, after: str | None) -> Any:
    """The list of all payments of a time span, newest first."""
    created = {"gte": int(since)} | ({"lte": int(until) + 1} if until is not None else {})
    params = {"created": created, "limit": PAGE, "expand": [f"data.{EXPANDED}"]}
    return params | ({"starting_after": after} if after else {})


def payment_of(intent: Any) -> ProviderPayment | None:
    """The payment of an intent; None if it took no money, or is not one of ours.

    Raises `AttributeError`, `TypeError` or `ValueError` if the intent is not readable.
    """
    metadata = intent.metadata.to_dict() if intent.metadata else {}
    if intent.status in _NOTHING_TAKEN or "checkout_id" not in metadata:
        return None
    is_final = intent.status == "succeeded"
    charge = intent.latest_charge if is_final else None
    return ProviderPayment(
        payment_id=intent.id,
        attempt_id=str(metadata.get("attempt_id", "")),
        checkout_id=str(metadata["checkout_id"]),
        amount=int(intent.amount_received if is_final else intent.amount),
        currency=str(intent.currency),
        created_at=float(intent.created),
        refunded=int(charge.amount_refunded) if charge else 0,
        is_final=is_final,
    )
