"""Payments through Stripe: a PaymentIntent for each attempt, created and confirmed in one call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any, TypeVar

import stripe
from pydantic import SecretStr

from services.payment_worker.payment_gateway import (
    Charge,
    Declined,
    Paid,
    PaymentGateway,
    ProviderPayment,
    Undecided,
)
from services.payment_worker.providers.stripe import recorded_payments
from services.payment_worker.providers.stripe.error_mapping import (
    AUTHENTICATION_REQUIRED,
    card_decline,
    charge_outcome,
    is_replayed_failure,
    undecided,
)
from services.payment_worker.providers.stripe.http_client import StripeHTTPClient
from services.payment_worker.providers.stripe.log_redaction import redact_logs
from services.payment_worker.providers.stripe.requests import (
    intent_options,
    intent_params,
    is_known_kind,
)
from services.runtime.settings import Settings

T = TypeVar("T")

_NOT_READABLE = (AttributeError, KeyError, TypeError, ValueError)
"""What the library raises on an answer that is not of Stripe's shape."""

_READ_PAUSES = (0.5, 1.0, 2.0)
"""Seconds before a read that failed is repeated: a list of many pages survives a short failure."""


def from_settings(settings: Settings) -> PaymentGateway:
    """The gateway with the configured key. Raises `BadSetting`."""
    address = settings.stripe_url or stripe.DEFAULT_API_BASE
    return StripeGateway(settings.stripe_secret(), address=address)


class StripeGateway:
    """Takes Stripe's tokens: `pm_…`, `tok_…` and, in preview, shared payment tokens, `spt_…`.

    A charge or refund ends within `timeout` seconds. `address` is the address of Stripe's API.
    Raises `BadSetting` if the environment makes Stripe's library print what it sends.
    """

    key_retention = 24 * 3600.0  # https://docs.stripe.com/api/idempotent_requests
    search_lag = recorded_payments.SEARCH_LAG

    def __init__(
        self,
        key: SecretStr | str,
        *,
        address: str = stripe.DEFAULT_API_BASE,
        timeout: float = 20.0,
    ) -> None:
        redact_logs()
        self._timeout = timeout
        self._http = StripeHTTPClient(timeout)
        client = stripe.StripeClient(
            key.get_secret_value() if isinstance(key, SecretStr) else key,
            base_addresses={"api": address},
            max_network_retries=0,  # The worker retries: it knows for how long it may.
            http_client=self._http,
        )
        self._intents = client.v1.payment_intents
        self._refunds = client.v1.refunds

    async def charge(self, charge: Charge) -> Paid | Declined:
        """See `PaymentGateway`. A payment that requires an action of the buyer is canceled and declined."""
        if not is_known_kind(charge.token):
            return Declined("invalid_token", "This is no token that payments are taken with.")
        return await self._in_time(self._charge(charge))

    async def refund(self, payment_id: str, attempt_id: str) -> None:
        """See `PaymentGateway`. A payment that was refunded before counts as refunded."""
        await self._in_time(self._refund(payment_id, attempt_id))

    async def payments(
        self, checkout_id: str | None = None, *, since: float = 0.0, until: float | None = None
    ) -> AsyncIterator[ProviderPayment]:
        """See `PaymentGateway`. What a search finds is retrieved: its copy may be older than the payment."""
        if checkout_id is None:
            async for intent in self._list(since, until):
                if payment := _readable(intent):
                    yield payment
            return
        async for found in self._search(checkout_id):
            payment = _readable(await self._retrieve_expanded(found.id))
            # Stripe's search ignores case; our ids do not.
            if payment and payment.checkout_id == checkout_id:
                yield payment

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close_async()

    async def _charge(self, charge: Charge) -> Paid | Declined:
        intent = await _answer(
            self._intents.create_async(intent_params(charge), intent_options(charge))
        )
        if is_replayed_failure(intent):
            intent = await self._find(charge)
        if not isinstance(intent, stripe.StripeError):
            return await self._outcome(intent)
        outcome = charge_outcome(intent)
        if isinstance(outcome, Undecided):
            raise outcome
        return outcome

    async def _outcome(self, intent: Any) -> Paid | Declined:
        """The outcome of an intent, after bringing it to one if necessary."""
        if _status(intent) == "processing":
            # Stripe replays its first answer to a repeat: only a retrieval shows the current
            # status.
            intent = await self._retrieve(intent.id)
        match _status(intent):
            case "succeeded":
                return Paid(intent.id)
            case "requires_action":
                return await self._cancel(intent.id, AUTHENTICATION_REQUIRED)
            case "requires_payment_method" if intent.last_payment_error:
                return card_decline(intent.last_payment_error)
            case "requires_payment_method":
                return await self._cancel(intent.id, card_decline(None))
            case "canceled":
                return card_decline(getattr(intent, "last_payment_error", None))
            case "processing" | None as status:
                raise Undecided(f"the payment at Stripe is {status or 'not readable'}")
            case status:
                raise Undecided(f"the payment at Stripe is {status}", needs_hand=True)

    async def _cancel(self, intent_id: str, reason: Declined) -> Paid | Declined:
        """Cancel an intent, unless it was paid meanwhile."""
        intent = await _answer(self._intents.cancel_async(intent_id))
        if _code(intent) == "payment_intent_unexpected_state":
            intent = await self._retrieve(intent_id)  # Canceled by an earlier call, or paid.
        if isinstance(intent, stripe.StripeError):
            raise undecided(intent)
        match _status(intent):
            case "canceled":
                return reason
            case "succeeded":
                return Paid(intent.id)
            case status:
                raise Undecided(f"the payment at Stripe should be canceled, but is {status}")

    async def _retrieve(self, intent_id: str) -> Any:
        intent = await _answer(self._intents.retrieve_async(intent_id))
        if isinstance(intent, stripe.StripeError):
            raise undecided(intent)
        return intent

    async def _find(self, charge: Charge) -> Any:
        """The attempt's intent, if only a failure is left of the answer that named it.

        That none is found is not decisive: Stripe's search lags behind.
        """
        query = f"metadata['attempt_id']:'{charge.attempt_id}'"
        found = await _answer(self._intents.search_async({"query": query}))
        if isinstance(found, stripe.StripeError):
            raise undecided(found)
        intents = getattr(found, "data", [])
        if len(intents) != 1:
            raise Undecided(
                f"Stripe replays a failure of its own, and has {len(intents)} payments for the attempt",
                needs_hand=len(intents) > 1,
            )
        return await self._retrieve(intents[0].id)

    async def _list(self, since: float, until: float | None) -> AsyncIterator[Any]:
        after, has_more = None, True
        while has_more:
            params = recorded_payments.list_params(since, until, after)
            intents, has_more, _ = await self._page(partial(self._intents.list_async, params))
            for intent in intents:
                yield intent
            after = intents[-1].id if intents else None

    async def _search(self, checkout_id: str) -> AsyncIterator[Any]:
        page, has_more = None, True
        while has_more:
            params = recorded_payments.search_params(checkout_id, page)
            intents, has_more, page = await self._page(partial(self._intents.search_async, params))
            for intent in intents:
                yield intent

    async def _page(self, read: Callable[[], Awaitable[Any]]) -> tuple[list[Any], bool, str | None]:
        """The intents of a page, whether more follow, and a search's name for the next page."""
        found = await self._read(read)
        intents = getattr(found, "data", None)
        if not isinstance(intents, list):
            raise Undecided("Stripe's list of payments is not readable")
        has_more = bool(intents) and bool(getattr(found, "has_more", False))
        return intents, has_more, getattr(found, "next_page", None)

    async def _retrieve_expanded(self, intent_id: str) -> Any:
        params: Any = {"expand": [recorded_payments.EXPANDED]}
        return await self._read(partial(self._intents.retrieve_async, intent_id, params))

    async def _read(self, read: Callable[[], Awaitable[Any]]) -> Any:
        """The answer to a read, which is repeated if it fails for a short time."""
        for pause in (*_READ_PAUSES, None):
            answer = await self._in_time(_answer(read()))
            if not isinstance(answer, stripe.StripeError):
                break
            failure = undecided(answer)
            if pause is None or failure.needs_hand or failure.is_general:
                raise failure
            await asyncio.sleep(max(pause, failure.retry_after or 0.0))
        return answer

    async def _refund(self, payment_id: str, attempt_id: str) -> None:
        refund = await _answer(
            self._refunds.create_async(
                {"payment_intent": payment_id}, {"idempotency_key": f"{attempt_id}:refund"}
            )
        )
        if _code(refund) == "charge_already_refunded":
            return
        if is_replayed_failure(refund):
            refund = await self._find_refund(payment_id)
        if isinstance(refund, stripe.StripeError):
            raise undecided(refund)
        if _status(refund) not in ("succeeded", "pending"):
            reason = f"the refund at Stripe is {_status(refund) or 'not readable'}"
            raise Undecided(reason, needs_hand=True)

    async def _find_refund(self, payment_id: str) -> Any:
        """The newest refund of a payment, if only a failure is left of the answer that named it."""
        found = await _answer(self._refunds.list_async({"payment_intent": payment_id, "limit": 1}))
        refunds = getattr(found, "data", [])
        return refunds[0] if refunds else found

    async def _in_time(self, call: Awaitable[T]) -> T:
        try:
            async with asyncio.timeout(self._timeout):
                return await call
        except TimeoutError:
            pass
        raise Undecided(f"Stripe gave no answer within {self._timeout:g} s")


async def _answer(call: Awaitable[Any]) -> Any:
    """Stripe's answer; errors too, as values, so that none with a token in it is chained to ours."""
    try:
        return await call
    except stripe.StripeError as error:
        return error
    except _NOT_READABLE:
        return stripe.APIError("the answer is not readable")


def _readable(intent: Any) -> ProviderPayment | None:
    try:
        return recorded_payments.payment_of(intent)
    except _NOT_READABLE:
        pass
    raise Undecided("a payment at Stripe is not readable")


def _status(answer: object) -> str | None:
    return getattr(answer, "status", None)


def _code(answer: object) -> str | None:
    return answer.code if isinstance(answer, stripe.InvalidRequestError) else None
