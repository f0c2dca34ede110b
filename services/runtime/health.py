"""Liveness, readiness and metrics: the three endpoints that each service has on its port."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

logger = logging.getLogger(__name__)

Check = Callable[[], Awaitable[str | None]]
"""Returns None when all is well, else the problem, for an operator to read."""

_TIMEOUT_SECONDS = 2.0


async def readiness(checks: Mapping[str, Check]) -> dict[str, str]:
    """The state of each dependency: `ok`, or the problem."""
    states = await asyncio.gather(*(_state(check) for check in checks.values()))
    return dict(zip(checks, states, strict=True))


async def _state(check: Check) -> str:
    try:
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            return await check() or "ok"
    except TimeoutError:
        return f"no answer within {_TIMEOUT_SECONDS:.0f} s"
    except Exception as error:
        logger.exception("a readiness check failed")
        # Anybody can read this answer; the details are in the log.
        return type(error).__name__


def health_routes(checks: Mapping[str, Check]) -> list[Route]:
    """`/healthz`, `/readyz` (503 while a check fails) and `/metrics`."""

    async def healthz(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(_: Request) -> Response:
        states = await readiness(checks)
        ready = all(state == "ok" for state in states.values())
        body = {"status": "ready" if ready else "not_ready", "checks": states}
        return JSONResponse(body, 200 if ready else 503)

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)]
