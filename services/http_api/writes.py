"""The operations that write: each hands a command to the handler."""

from __future__ import annotations

import asyncio
import time
import uuid
from dataclasses import replace
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from domain.commands import Command
from domain.events import Channel
from services.command_handling import (
    Accepted,
    Answer,
    CommandEnvelope,
    Expired,
    Overloaded,
    Rejected,
    fingerprint_of,
)
from services.event_store import StoreUnavailable
from services.http_api.errors import dropped, in_flight, outcome_unknown, overloaded, rejected
from services.http_api.operation import Call
from services.http_api.payment_watch import Paying
from services.http_api.request_headers import IDEMPOTENCY_KEY, IF_MATCH
from services.http_api.responses import DEADLINE_SECONDS, PREFIX, checkout_response, guard_id


async def write(call: Call) -> Response:
    """Hand the command of a request to the handler, and answer with what came of it."""
    if call.command is None:
        raise TypeError(f"{call.operation.id} has no command")
    envelope = _envelope(call, call.command)
    if call.checkout_id is not None:
        guard_id(call.checkout_id)
    deadline = asyncio.get_running_loop().time() + DEADLINE_SECONDS
    try:
        async with asyncio.timeout_at(deadline):
            [answer] = await call.parts.writer.submit([envelope])
    except Overloaded:
        raise overloaded() from None
    except TimeoutError:
        raise outcome_unknown() from None
    if isinstance(answer, Accepted) and answer.is_paying:
        answer = await _payment_outcome(call, answer, deadline)
    return _response(call.request, answer, call.operation.success)


async def _payment_outcome(call: Call, started: Accepted, deadline: float) -> Answer:
    """How the payment ended, if that is known by the deadline; else the answer that it has started."""
    paying = Paying(started.view.checkout_id, started.view.version)
    try:
        async with asyncio.timeout_at(deadline):
            ended, view = await call.parts.payments.end(paying, repeated=started.repeated)
            # The payment worker may not have written the view yet, and a 200 promises that a read sees it.
            readable = await call.parts.writer.show([view])
    except (StoreUnavailable, TimeoutError):
        return started
    return replace(ended, readable=readable) if isinstance(ended, Accepted) else ended


def _envelope(call: Call, command: Command) -> CommandEnvelope:
    """The command of a request. With an `Idempotency-Key`, its identity and a new checkout's id are
    derived from API key, method, path and that key, so that a repeat is the same command.
    """
    request, key = call.request, call.key
    given = IDEMPOTENCY_KEY.read(request.headers)
    if given is None:
        source, command_id = "/checkout/http", uuid.uuid4().hex
    else:
        source, command_id = f"{key.name} {request.method} {request.url.path}", given
    expected = IF_MATCH.read(request.headers)
    new_id = uuid.uuid4().hex if given is None else fingerprint_of(source, given)[:32]
    return CommandEnvelope(
        channel=Channel.HTTP,
        source=source,
        command_id=command_id,
        checkout_id=call.checkout_id or f"checkout_{new_id}",
        command=command,
        fingerprint=fingerprint_of(
            command.NAME, call.body, expected.identity if expected else None
        ),
        actor=key.name,
        correlation_id=request.state.request_id,
        traceparent=request.state.traceparent,
        expected_version=expected.version if expected else None,
        expected_epoch=expected.epoch_or_any if expected else None,
        remembered=given is not None,
        expires_at=time.monotonic() + DEADLINE_SECONDS,
    )


def _response(request: Request, answer: Answer, success: HTTPStatus) -> Response:
    replayed = isinstance(answer, Accepted | Rejected) and answer.repeated
    again = replayed and IDEMPOTENCY_KEY.name in request.headers
    headers = {"Idempotent-Replayed": "true"} if again else {}
    match answer:
        case Accepted(is_paying=True, repeated=True) if again:
            raise in_flight()
        case Accepted(readable=False) | Accepted(is_paying=True):
            location = f"{PREFIX}/{answer.view.checkout_id}"
            return checkout_response(
                answer.view, HTTPStatus.ACCEPTED, headers | {"Location": location}
            )
        case Accepted():
            if success is HTTPStatus.CREATED:
                headers["Location"] = f"{PREFIX}/{answer.view.checkout_id}"
            return checkout_response(answer.view, success, headers)
        case Expired():
            raise dropped()
        case _:
            return rejected(answer.rejection, headers)
