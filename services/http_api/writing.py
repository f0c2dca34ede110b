"""Writing checkouts over HTTP: each write becomes an envelope to the handler."""

from __future__ import annotations

import asyncio
import time
import uuid
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from domain.commands import (
    CancelCheckout,
    Command,
    CompleteCheckout,
    CreateCheckout,
    UpdateCheckout,
)
from domain.events import Channel
from services.command_handling import (
    Accepted,
    Answer,
    CommandEnvelope,
    Expired,
    GroupCommitter,
    Overloaded,
    Rejected,
    fingerprint_of,
)
from services.event_store import StoreUnavailable
from services.http_api.answers import DEADLINE_SECONDS, PREFIX, guard_id, shown
from services.http_api.errors import in_flight, refused, unavailable
from services.http_api.payment_watch import Paying, PaymentWatch
from services.http_api.requests import (
    Writer,
    expected_version,
    idempotency_key,
    json_body,
    refuse_query,
)
from services.security.api_keys import ApiKey

router = APIRouter(prefix=PREFIX, tags=["checkouts"])


@router.post("", status_code=HTTPStatus.CREATED, operation_id="create_checkout")
async def create(request: Request, key: Writer) -> Response:
    """Open a checkout with at least one item."""
    command, body = await _asked(request, CreateCheckout)
    return await _write(request, key, None, command, body, HTTPStatus.CREATED)


@router.put("/{checkout_id}", operation_id="update_checkout")
async def update(request: Request, checkout_id: str, key: Writer) -> Response:
    """Change what is given and leave the rest: an absent field stays, `null` clears."""
    command, body = await _asked(request, UpdateCheckout)
    return await _write(request, key, checkout_id, command, body, HTTPStatus.OK)


@router.post("/{checkout_id}/cancel", operation_id="cancel_checkout")
async def cancel(request: Request, checkout_id: str, key: Writer) -> Response:
    """Close the checkout for good. The body is optional."""
    command, body = await _asked(request, CancelCheckout, optional=True)
    return await _write(request, key, checkout_id, command, body, HTTPStatus.OK)


@router.post("/{checkout_id}/complete", operation_id="complete_checkout")
async def complete(request: Request, checkout_id: str, key: Writer) -> Response:
    """Pay what the checkout comes to, and make an order of it."""
    command, body = await _asked(request, CompleteCheckout)
    return await _write(request, key, checkout_id, command, body, HTTPStatus.OK)


async def _asked(
    request: Request, kind: type[Command], *, optional: bool = False
) -> tuple[Command, Any]:
    """The command that a request is, and its body, checked in the promised order. Raises `Rejection`."""
    body = await json_body(request, optional=optional)
    refuse_query(request)
    return kind.parse(body), body


async def _write(
    request: Request,
    key: ApiKey,
    checkout_id: str | None,
    command: Command,
    body: Any,
    success: HTTPStatus,
) -> Response:
    envelope = _envelope(request, key, checkout_id, command, body)
    if checkout_id is not None:
        guard_id(checkout_id)
    deadline = asyncio.get_running_loop().time() + DEADLINE_SECONDS
    try:
        async with asyncio.timeout_at(deadline):
            answer = await _answer(request, envelope)
    except Overloaded:
        raise unavailable("too many writes are waiting; this one was not begun") from None
    except TimeoutError:
        raise unavailable(
            "the outcome is not known yet: the write may have been recorded; "
            "it is safe to repeat with the same Idempotency-Key"
        ) from None
    if isinstance(answer, Accepted) and answer.is_paying:
        answer = await _paid(request, answer, deadline)
    return _response(request, answer, success)


async def _answer(request: Request, envelope: CommandEnvelope) -> Answer:
    writer: GroupCommitter = request.app.state.writer
    [answer] = await writer.submit([envelope])
    return answer


async def _paid(request: Request, started: Accepted, deadline: float) -> Answer:
    """How the payment ended, if that is known by the deadline; else the answer that it has started."""
    watch: PaymentWatch = request.app.state.payments
    writer: GroupCommitter = request.app.state.writer
    paying = Paying(started.view.checkout_id, started.view.version)
    try:
        async with asyncio.timeout_at(deadline):
            ended, view = await watch.end(paying, repeated=started.repeated)
            # Whoever settled it may not have shown it yet, and our 200 promises that a read sees it.
            readable = await writer.show([view])
    except (StoreUnavailable, TimeoutError):
        return started
    return replace(ended, readable=readable) if isinstance(ended, Accepted) else ended


def _envelope(
    request: Request, key: ApiKey, checkout_id: str | None, command: Command, body: Any
) -> CommandEnvelope:
    """The command of a request. With an `Idempotency-Key`, its identity and a new checkout's id are
    made of API key, method, path and that key, so that a repeat is the same command.
    """
    given = idempotency_key(request)
    if given is None:
        source, command_id = "/checkout/http", uuid.uuid4().hex
    else:
        source, command_id = f"{key.name} {request.method} {request.url.path}", given
    version = expected_version(request)
    fingerprint = fingerprint_of(command.NAME, body, version)
    new_id = uuid.uuid4().hex if given is None else fingerprint_of(source, given)[:32]
    return CommandEnvelope(
        channel=Channel.HTTP,
        source=source,
        command_id=command_id,
        checkout_id=checkout_id or f"checkout_{new_id}",
        command=command,
        fingerprint=fingerprint,
        actor=key.name,
        correlation_id=request.state.request_id,
        traceparent=request.state.traceparent,
        expected_version=version,
        remembered=given is not None,
        expires_at=time.monotonic() + DEADLINE_SECONDS,
    )


def _response(request: Request, answer: Answer, success: HTTPStatus) -> Response:
    replayed = isinstance(answer, Accepted | Rejected) and answer.repeated
    again = replayed and "idempotency-key" in request.headers
    headers = {"Idempotent-Replayed": "true"} if again else {}
    match answer:
        case Accepted(is_paying=True, repeated=True) if again:
            raise in_flight()
        case Accepted(readable=False) | Accepted(is_paying=True):
            location = f"{PREFIX}/{answer.view.checkout_id}"
            return shown(answer.view, HTTPStatus.ACCEPTED, headers | {"Location": location})
        case Accepted():
            if success is HTTPStatus.CREATED:
                headers["Location"] = f"{PREFIX}/{answer.view.checkout_id}"
            return shown(answer.view, success, headers)
        case Expired():
            raise unavailable("the write was not begun in time, and will not be; send it again")
        case _:
            return refused(answer.rejection, headers)
