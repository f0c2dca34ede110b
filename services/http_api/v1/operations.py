"""The table of `/v1/checkouts`. A second binding of the same handler is a second table beside it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from domain.commands import (
    CancelCheckout,
    Command,
    CompleteCheckout,
    CreateCheckout,
    RecordPayment,
    UpdateCheckout,
)
from projections.list_index import list_item
from projections.list_page import ListPage
from projections.projection import Source
from projections.registry import LIST_INDEX
from services.http_api import reads, writes
from services.http_api.errors import no_such_version
from services.http_api.operation import ErrorCase, Operation, ShownCheckout, ShownPage
from services.http_api.request_headers import (
    IDEMPOTENCY_KEY,
    IF_MATCH,
    IF_NONE_MATCH,
    REQUEST_ID,
    TRACEPARENT,
)
from services.http_api.responses import PREFIX
from services.http_api.v1 import error_cases as cases
from services.http_api.v1 import query
from services.messages.checkout_list import CheckoutPage
from services.messages.event_messages import EventPage
from services.messages.scenario import scenario
from services.security.api_keys import Scope


def _write(
    name: str, method: str, path: str, command: type[Command], *errors: ErrorCase, **more: Any
) -> Operation:
    first = (
        *cases.guards(Scope.WRITE),
        cases.TOO_LARGE,
        cases.UNSUPPORTED,
        cases.malformed_body(command),
        cases.CONFLICT,
    )
    last = (cases.STALE, cases.OUTCOME_UNKNOWN, cases.FAULT)
    return Operation(
        id=f"{name}_checkout",
        method=method,
        path=PREFIX + path,
        scope=Scope.WRITE,
        handle=writes.write,
        command=command,
        headers=(REQUEST_ID, TRACEPARENT, IDEMPOTENCY_KEY, IF_MATCH),
        errors=(*first, *errors, *last),
        **{"shows": ShownCheckout(command.NAME), **more},
    )


def _read(name: str, path: str, *errors: ErrorCase, **more: Any) -> Operation:
    return Operation(
        id=name,
        method="GET",
        path=PREFIX + path,
        scope=Scope.READ,
        errors=(*cases.guards(Scope.READ), *errors, cases.FAULT),
        **{"headers": (REQUEST_ID,), **more},
    )


def _listed() -> dict[str, Any]:
    source = Source(scenario()["CreateCheckout"].after)
    item = list_item(source.view, LIST_INDEX.project(source).value)
    return dict(CheckoutPage.of(ListPage([item], has_more=False, total_count=1)))


def _events() -> dict[str, Any]:
    return dict(EventPage.of(scenario()["CreateCheckout"].events[:2], has_more=True))


OPERATIONS: tuple[Operation, ...] = (
    _write(
        "create",
        "POST",
        "",
        CreateCheckout,
        cases.TAKEN,
        summary="Create a checkout",
        description="Open a checkout with at least one item.",
        success=HTTPStatus.CREATED,
    ),
    _read(
        "list_checkouts",
        "",
        cases.malformed_query(query.CURSOR, "no id"),
        cases.NO_LIST,
        summary="List checkouts",
        description="The checkouts that match a filter, newest first.",
        handle=reads.list_checkouts,
        shows=ShownPage(CheckoutPage, "The checkouts, newest first.", _listed),
        query=query.LIST,
    ),
    _read(
        "get_checkout",
        "/{checkout_id}",
        cases.malformed_query(query.VERSION, "0"),
        ErrorCase(no_such_version, "there is no such checkout, or it had no such version then"),
        cases.UNREADABLE,
        summary="Get a checkout",
        description="The checkout as it is now, or as it was: at a version, or at a time.",
        handle=reads.get_checkout,
        shows=ShownCheckout("CreateCheckout"),
        query=query.POINT_IN_TIME,
        headers=(REQUEST_ID, IF_NONE_MATCH),
    ),
    _write(
        "update",
        "PUT",
        "/{checkout_id}",
        UpdateCheckout,
        cases.NOT_FOUND,
        cases.CLOSED,
        cases.IN_PROGRESS,
        summary="Update a checkout",
        description="Change what is given and leave the rest: an absent field stays, `null` clears.",
    ),
    _write(
        "complete",
        "POST",
        "/{checkout_id}/complete",
        CompleteCheckout,
        cases.IN_FLIGHT,
        cases.NOT_FOUND,
        cases.CLOSED,
        cases.IN_PROGRESS,
        cases.NOT_READY,
        cases.DECLINED,
        summary="Complete a checkout",
        description="Pay the total of the checkout, and make an order of it.",
        shows=ShownCheckout(RecordPayment.NAME, pending=CompleteCheckout.NAME),
    ),
    _write(
        "cancel",
        "POST",
        "/{checkout_id}/cancel",
        CancelCheckout,
        cases.NOT_FOUND,
        cases.NOT_CANCELABLE,
        cases.IN_PROGRESS,
        summary="Cancel a checkout",
        description="Close the checkout for good. The body is optional.",
        body_required=False,
    ),
    _read(
        "list_events",
        "/{checkout_id}/events",
        cases.malformed_query(query.EVENTS_LIMIT, "0"),
        cases.NOT_FOUND,
        cases.UNREADABLE,
        summary="List the events of a checkout",
        description="What happened to the checkout, oldest first: the CloudEvents that are on Kafka.",
        handle=reads.list_events,
        shows=ShownPage(EventPage, "The events, oldest first.", _events),
        query=query.EVENTS,
    ),
)
