"""The readiness checks of connections and services."""

from __future__ import annotations

import asyncio
from typing import Protocol

from projections.redis.views import RedisViews
from services.event_store import EventStore
from services.runtime.health import Check

_WAY_OUT = "name the primary in CHECKOUT_REDIS_URL; if Redis is full, raise maxmemory"


class MayFail(Protocol):
    """A part that reports what keeps it from working."""

    @property
    def failure(self) -> str | None:
        """The problem, for an operator to read; None if there is none."""


def failure_check(part: MayFail) -> Check:
    """Whether a part works."""

    async def check() -> str | None:
        return part.failure

    return check


def store_check(store: EventStore) -> Check:
    """Whether the event store answers and takes writes."""

    async def check() -> str | None:
        return await asyncio.to_thread(store.write_guard.reason)

    return check


def views_check(views: RedisViews) -> Check:
    """Whether Redis answers, takes writes, holds all views, and keeps them."""

    async def check() -> str | None:
        if refusal := await views.write_refusal():
            return f"Redis refuses writes ({refusal}): {_WAY_OUT}"
        if evicting := await eviction_problem(views):
            return evicting
        if not await views.are_built():
            return "the views are being rebuilt"
        return None if await views.is_trusted() else "Redis is being brought up to date"

    return check


async def eviction_problem(views: RedisViews) -> str | None:
    """What is wrong with a Redis that may evict views, and the way out. Raises `RedisError` and `OSError`."""
    policy = await views.eviction_policy()
    if policy is None:
        return None
    return (
        f"Redis may evict views, and lists would lack checkouts (maxmemory-policy {policy}): "
        "set maxmemory-policy to noeviction, then run `checkout views rebuild`"
    )
