"""The client of the Redis that a URL names: a server, or the primary that Sentinels know of."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

from redis.asyncio import Redis
from redis.asyncio.connection import SSLConnection, parse_url
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import (
    Sentinel,
    SentinelConnectionPool,
    SentinelManagedConnection,
    SentinelManagedSSLConnection,
)
from redis.backoff import NoBackoff

from projections.redis.primary_connection import primary_only
from projections.redis.server_identity import RunId

_SENTINEL_URL = re.compile(
    r"(?P<scheme>rediss?)\+sentinel://(?:(?P<account>[^/?#]*)@)?(?P<hosts>[^/?#@]+)"
    r"/(?P<service>[^/?#]+)(?:/(?P<db>[0-9]*))?(?:\?(?P<options>[^#]*))?"
)
_SENTINEL_HOST = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s:\[\]]+)(?::(?P<port>[0-9]{1,5}))?")
_SENTINEL_PORT = 26379

_WAITS: dict[str, Any] = {"socket_timeout": 2.0, "socket_connect_timeout": 1.0}
_SENTINEL_WAITS: dict[str, Any] = {"socket_timeout": 0.2, "socket_connect_timeout": 0.2}
"""A Sentinel that hangs must leave time to ask the next one, within the time that a call has."""


def redis_at(url: str, run_id: RunId) -> Redis:
    """The client, with bounded waits and without retries of its own. Raises `ValueError` for a bad URL.

    `redis://`, `rediss://` and `unix://` name a server, as redis-py has them.
    `redis+sentinel://[user:password@]host[:port][,host…]/service[/db][?…]` names Sentinels and the service
    that they watch; account, database and options are of its servers, but `sentinel_username` and
    `sentinel_password` are of the Sentinels. With `rediss+sentinel://` all of them speak TLS.
    """
    bounds: dict[str, Any] = {
        **_WAITS,
        "retry": Retry(NoBackoff(), 0),
        "redis_connect_func": run_id.learn,
    }
    if url.partition(":")[0].endswith("+sentinel"):
        return _through_sentinel(url, bounds, run_id)
    redis = Redis.from_url(url, **bounds)
    pool = redis.connection_pool
    pool.connection_class = primary_only(pool.connection_class, lambda: run_id.value)
    return redis


def _through_sentinel(url: str, bounds: dict[str, Any], run_id: RunId) -> Redis:
    found = _SENTINEL_URL.fullmatch(url)
    hosts = [_SENTINEL_HOST.fullmatch(host) for host in found["hosts"].split(",")] if found else []
    if not found or not all(hosts):
        raise ValueError("must be redis+sentinel://host:port[,host:port…]/service[/database]")
    account = f"{found['account']}@" if found["account"] else ""
    options = f"?{found['options']}" if found["options"] else ""
    # redis-py reads everything but the hosts; `server` stands for them.
    url = f"{found['scheme']}://{account}server/{found['db'] or 0}{options}"
    server: dict[str, Any] = {**parse_url(url)}
    del server["host"]
    kind = server.pop("connection_class", None)
    sentinel_account = {
        name: server.pop(f"sentinel_{name}")
        for name in ("username", "password")
        if f"sentinel_{name}" in server
    }
    is_tls = kind is not None and issubclass(kind, SSLConnection)
    tls = {name: value for name, value in server.items() if name.startswith("ssl_")}
    sentinel = Sentinel(  # type: ignore[no-untyped-call]  # redis-py does not type it
        [(host["host"].strip("[]"), int(host["port"] or _SENTINEL_PORT)) for host in hosts if host],
        sentinel_kwargs={
            **_SENTINEL_WAITS,
            **sentinel_account,
            **({"ssl": True, **tls} if is_tls else {}),
            "retry": Retry(NoBackoff(), 0),
        },
    )
    connection = SentinelManagedSSLConnection if is_tls else SentinelManagedConnection
    redis: Redis = sentinel.master_for(
        unquote(found["service"]),
        redis_class=_RedisThroughSentinel,
        connection_class=primary_only(connection, lambda: run_id.value),
        **{**server, **bounds},
    )
    return redis


class _RedisThroughSentinel(Redis):
    """Closes the connections to the Sentinels as well."""

    async def aclose(self, close_connection_pool: bool | None = None) -> None:
        await super().aclose(close_connection_pool)
        if isinstance(self.connection_pool, SentinelConnectionPool):
            await self.connection_pool.sentinel_manager.aclose()
