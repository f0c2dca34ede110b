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


class Degraded(str):
    """A problem with which the service can still do its own job, slower or in part."""

    __slots__ = ()


def degrading(check: Check) -> Check:
    """The check of a dependency that the service can do without for a while."""

    async def checked() -> str | None:
        # Less time than `_state` gives this check in turn.
        state = await _state(check, _TIMEOUT_SECONDS * 0.75)
        return None if state == "ok" else Degraded(state)

    return checked


async def readiness(checks: Mapping[str, Check]) -> dict[str, str]:
    """The state of each dependency: `ok`, or the problem."""
    states = await asyncio.gather(*(_state(check) for check in checks.values()))
    return dict(zip(checks, states, strict=True))


async def _state(check: Check, seconds: float | None = None) -> str:
    seconds = seconds or _TIMEOUT_SECONDS
    try:
        async with asyncio.timeout(seconds):
            return await check() or "ok"
    except TimeoutError:
        return f"no answer within {seconds:g} s"
    except Exception as error:
        logger.exception("a readiness check failed")
        # Anybody can read this answer; the details are in the log.
        return type(error).__name__


def _status(states: Mapping[str, str]) -> str:
    problems = [state for state in states.values() if state != "ok"]
    if not problems:
        return "ready"
    return "degraded" if all(isinstance(it, Degraded) for it in problems) else "not_ready"


def health_routes(checks: Mapping[str, Check]) -> list[Route]:
    """`/healthz`, `/readyz` (503 while a check fails that the service can't do without) and `/metrics`."""

    async def healthz(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(_: Request) -> Response:
        states = await readiness(checks)
        status = _status(states)
        return JSONResponse(
            {"status": status, "checks": states}, 503 if status == "not_ready" else 200
        )

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)]
