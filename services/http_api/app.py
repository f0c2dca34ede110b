"""The ASGI application of the HTTP door."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import FastAPI
from starlette.responses import HTMLResponse, JSONResponse

from projections.redis.views import RedisViews
from services.command_handling import GroupCommitter
from services.event_store import EventStore
from services.http_api.checkout_list import ListReader
from services.http_api.checkout_list import router as listing
from services.http_api.checkout_reader import CheckoutReader
from services.http_api.errors import add_error_handlers
from services.http_api.middleware import RequestMiddleware
from services.http_api.openapi import describe
from services.http_api.payment_watch import PaymentWatch
from services.http_api.point_in_time import PointInTimeReader
from services.http_api.reading import router as reading
from services.http_api.writing import router as writing
from services.kafka.topics import Topics
from services.messages.asyncapi import asyncapi_document, asyncapi_page
from services.runtime.health import Check, health_routes
from services.security.api_keys import LiveKeys


@dataclass(frozen=True)
class ApiParts:
    """What the API is wired from."""

    writer: GroupCommitter
    payments: PaymentWatch
    store: EventStore
    views: RedisViews
    keys: LiveKeys
    topics: Topics
    checks: Mapping[str, Check]


def build_app(parts: ApiParts) -> FastAPI:
    """The application: checkouts, health, and the documents of both doors."""
    app = FastAPI(title="Checkout", version="1", redoc_url=None, redirect_slashes=False)
    app.state.writer = parts.writer
    app.state.payments = parts.payments
    app.state.reader = CheckoutReader(parts.views, parts.store)
    app.state.lister = ListReader(parts.views)
    app.state.past = PointInTimeReader(parts.store)
    app.state.keys = parts.keys
    app.include_router(listing)
    app.include_router(reading)
    app.include_router(writing)
    app.router.routes.extend(health_routes(parts.checks))
    document = asyncapi_document(parts.topics)

    @app.get("/asyncapi.json", include_in_schema=False)
    async def asyncapi_json() -> JSONResponse:
        return JSONResponse(document)

    @app.get("/asyncapi", include_in_schema=False)
    async def asyncapi() -> HTMLResponse:
        return HTMLResponse(asyncapi_page(document))

    describe(app)
    add_error_handlers(app)
    app.add_middleware(RequestMiddleware)
    return app
