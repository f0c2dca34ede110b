"""The ASGI application of the HTTP door."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import FastAPI
from starlette.responses import HTMLResponse, JSONResponse

from projections.redis_views import RedisViews
from services.api.errors import add_error_handlers
from services.api.listing import ListReader
from services.api.listing import router as listing
from services.api.middleware import RequestMiddleware
from services.api.openapi import describe
from services.api.past import PastReader
from services.api.payment_watch import PaymentWatch
from services.api.reader import CheckoutReader
from services.api.reading import router as reading
from services.api.writing import router as writing
from services.documents.asyncapi import asyncapi_document, asyncapi_page
from services.handler import Writer
from services.health import Check, health_routes
from services.kafka.topics import Topics
from services.keys import LiveKeys
from services.store import EventStore


@dataclass(frozen=True)
class ApiParts:
    """What the API is wired from."""

    writer: Writer
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
    app.state.past = PastReader(parts.store)
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
