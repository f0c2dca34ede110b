"""Builds Stripe's requests."""

from __future__ import annotations

from typing import Any

import stripe
from stripe.params import PaymentIntentCreateParams

from domain.values import Address
from services.payment_worker.payment_gateway import Charge

_SHARED_TOKENS_VERSION = "2026-04-22.preview"
"""The first version of Stripe's API that takes shared payment tokens; they are still in preview:
https://docs.stripe.com/changelog/dahlia/2026-04-22/shared-payment-granted-token"""

_PREFIXES = ("pm_", "tok_", "spt_")


def is_known_kind(token: str) -> bool:
    """Whether it is a PaymentMethod, a card token or a shared payment token."""
    return token.startswith(_PREFIXES)


def intent_params(charge: Charge) -> PaymentIntentCreateParams:
    """The PaymentIntent, confirmed at once.

    Redirects are excluded: the buyer is not present. Since its version of 2023-08-16 Stripe rejects
    `error_on_requires_action` with automatic payment methods, so an intent that requires an action,
    such as 3-D Secure, is returned and then canceled by us.
    """
    params: PaymentIntentCreateParams = {
        "amount": charge.amount,
        "currency": charge.currency,
        "confirm": True,
        "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        "metadata": {"attempt_id": charge.attempt_id, "checkout_id": charge.checkout_id},
    }
    if charge.token.startswith("pm_"):
        params["payment_method"] = charge.token
    else:
        params["payment_method_data"] = _method_data(charge)
    return params


def intent_options(charge: Charge) -> stripe.RequestOptions:
    """The attempt's id is the idempotency key."""
    options: stripe.RequestOptions = {"idempotency_key": charge.attempt_id}
    if charge.token.startswith("spt_"):
        options["stripe_version"] = _SHARED_TOKENS_VERSION
    return options


def _method_data(charge: Charge) -> Any:
    """Untyped: the library's types know neither card tokens nor preview features."""
    if charge.token.startswith("spt_"):
        return {"shared_payment_granted_token": charge.token}
    data: dict[str, Any] = {"type": "card", "card": {"token": charge.token}}
    if charge.billing_address:
        data["billing_details"] = _billing_details(charge.billing_address)
    return data


def _billing_details(address: Address) -> dict[str, Any]:
    lines = {"line1": address.line_one}
    if address.line_two:
        lines["line2"] = address.line_two
    return {
        "name": address.name,
        "address": {
            **lines,
            "city": address.city,
            "state": address.state,
            "country": address.country,
            "postal_code": address.postal_code,
        },
    }
