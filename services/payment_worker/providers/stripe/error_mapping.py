"""Maps Stripe's errors to outcomes: a decline, or undecided.

Stripe's texts about a request that it found invalid are never quoted: they may repeat the token.
"""

from __future__ import annotations

import logging
import re

import stripe

from services.payment_worker.payment_gateway import Declined, Undecided

logger = logging.getLogger(__name__)

_KEPT_FROM_BUYERS = {"fraudulent", "lost_card", "merchant_blacklist", "stolen_card"}
"""Shown to the buyer as a generic decline: https://docs.stripe.com/declines/codes"""

_DECLINED = "The card was declined."
_INVALID = {
    "invalid_token": "There is no such payment token, or it can't be used any more.",
    "amount_too_small": "The amount is too small to be paid this way.",
    "amount_too_large": "The amount is too large to be paid this way.",
    "currency_not_supported": "Payments in this currency are not taken.",
}

AUTHENTICATION_REQUIRED = Declined(
    "authentication_required",
    "The bank wants the buyer to authenticate, which can't be done here: another card may do.",
)


def charge_outcome(error: stripe.StripeError) -> Declined | Undecided:
    """What an error means for a charge."""
    match error:
        case stripe.CardError():
            return card_decline(error.error)
        case stripe.RateLimitError():
            return Undecided(_reason("Stripe's rate limit is exceeded", error), _retry_after(error))
        case stripe.AuthenticationError() | stripe.PermissionError():
            return Undecided(_reason("Stripe rejects the secret key", error), 60.0, is_general=True)
        case stripe.IdempotencyError():
            reason = "Stripe knows this attempt with other parameters"
            return Undecided(_reason(reason, error), needs_hand=True)
        case stripe.InvalidRequestError() if _type(error) == "invalid_request_error":
            return _invalid_request(error)
    if error.http_status is None:
        return Undecided("Stripe can't be reached, or its answer was lost")
    return Undecided(_reason("Stripe gave no decisive answer", error), _retry_after(error))


def undecided(error: stripe.StripeError) -> Undecided:
    """What an error means where it can't be a decline: a rejected cancel, retrieval or refund
    needs an operator.
    """
    outcome = charge_outcome(error)
    if isinstance(outcome, Undecided):
        return outcome
    return Undecided(_reason("Stripe rejects a valid request", error), needs_hand=True)


def card_decline(error: object) -> Declined:
    """Stripe's card error, from an answer or a PaymentIntent's `last_payment_error`.

    The more specific `decline_code` takes precedence over `code`. Stripe writes the message for the
    buyer.
    """
    code = getattr(error, "decline_code", None) or getattr(error, "code", None)
    if code in _KEPT_FROM_BUYERS:
        return Declined("generic_decline", _DECLINED)
    return Declined(code or "payment_failed", getattr(error, "message", None) or _DECLINED)


def is_replayed_failure(answer: object) -> bool:
    """Whether it is a replayed failure of Stripe's, stored under the idempotency key for 24 h.

    https://docs.stripe.com/error-low-level: results are stored whatever they are, and marked by a
    header.
    """
    return (
        isinstance(answer, stripe.StripeError)
        and (answer.http_status or 0) >= 500
        and (answer.headers or {}).get("idempotent-replayed") == "true"
    )


def _invalid_request(error: stripe.InvalidRequestError) -> Declined:
    """The request was rejected before anything was charged."""
    # Only an operator can see whether the buyer's token or our account is at fault.
    logger.warning(
        "Stripe refused a charge as invalid",
        extra={"code": error.code, "param": error.param, "request_id": error.request_id},
    )
    code = error.code or "invalid_request"
    if code == "resource_missing":
        code = "invalid_token"
    elif error.param == "currency":
        code = "currency_not_supported"
    return Declined(code, _INVALID.get(code, "The payment can't be taken as it was asked for."))


def _type(error: stripe.StripeError) -> str | None:
    return getattr(error.error, "type", None)


def _reason(reason: str, error: stripe.StripeError) -> str:
    request = f", request {error.request_id}" if error.request_id else ""
    return f"{reason} (status {error.http_status}{request})"


def _retry_after(error: stripe.StripeError) -> float | None:
    """Seconds. Stripe sends no dates."""
    given = (error.headers or {}).get("retry-after", "")
    return float(given) if re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6})?", given) else None
