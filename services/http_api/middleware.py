"""Wraps each request: request id, metrics, and one log line without query string or body."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.http_api.errors import METHODS, fault, stopping
from services.http_api.request_headers import REQUEST_ID, TRACEPARENT
from services.http_api.routing import ROUTE
from services.runtime.metrics import HTTP_SECONDS
from services.runtime.tracing import Traced, request_span

logger = logging.getLogger("checkout.http")

_CLIENT_LEFT = 499
"""The status in logs and metrics of a request whose client disconnected before it was complete."""


class RequestMiddleware:
    """Echoes or generates the `Request-Id`, counts and logs. Plain ASGI: it never buffers a body."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        request_id = REQUEST_ID.read(headers) or uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id
        status, has_begun = 500, False
        begun = time.perf_counter()

        async def send_with_id(message: Message) -> None:
            nonlocal status, has_begun
            if message["type"] == "http.response.start":
                status, has_begun = message["status"], True
                MutableHeaders(scope=message)["Request-Id"] = request_id
            await send(message)

        given_trace = TRACEPARENT.read(headers)
        with request_span(given_trace) as span:
            scope["state"]["traceparent"] = span.traceparent() or given_trace
            try:
                await self._app(scope, receive, send_with_id)
            except ClientDisconnect:
                status = _CLIENT_LEFT
            except asyncio.CancelledError:
                if has_begun:
                    raise
                # The server cancels open requests when it stops. Its own answer would be a bare
                # 500, which does not say that the write may be repeated.
                await stopping().response()(scope, receive, send_with_id)
            except Exception:
                logger.exception("request_id=%s failed", request_id)
                if has_begun:
                    raise
                await fault().response()(scope, receive, send_with_id)
            finally:
                self._record(scope, request_id, status, time.perf_counter() - begun, span)

    @staticmethod
    def _record(scope: Scope, request_id: str, status: int, seconds: float, span: Traced) -> None:
        route = scope.get(ROUTE, "none")
        # Clients can send any method; each unknown one would be a time series of its own.
        method = scope["method"] if scope["method"] in METHODS else "other"
        span.describe(
            f"{method} {route}",
            http__request__method=method,
            http__route=route,
            http__response__status_code=status,
        )
        HTTP_SECONDS.labels(method=method, route=route, status=status).observe(seconds)
        facts = {"request_id": request_id, "status": status, "route": route}
        if traceparent := scope["state"]["traceparent"]:
            facts["traceparent"] = traceparent
        logger.info(
            "%s %s %d %.1f ms request_id=%s",
            method,
            route,
            status,
            seconds * 1000,
            request_id,
            extra=facts,
        )
