"""`CHECKOUT_REDIS_URL` names a server, or Sentinels and the service that they watch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from redis.asyncio.connection import SSLConnection
from redis.asyncio.sentinel import SentinelConnectionPool

from projections.redis.client import redis_at
from projections.redis.server_identity import RunId


def pool_of(url: str) -> SentinelConnectionPool:
    pool = redis_at(url, RunId()).connection_pool
    assert isinstance(pool, SentinelConnectionPool)
    return pool


def sentinels_of(pool: SentinelConnectionPool) -> list[Mapping[str, Any]]:
    return [it.connection_pool.connection_kwargs for it in pool.sentinel_manager.sentinels]


def test_sentinels_service_database_and_both_accounts_are_read():
    pool = pool_of(
        "redis+sentinel://app:s%2Fcret@one:1,two,[::1]:3/main/2?sentinel_username=w&sentinel_password=p%26w"
    )

    sentinels = sentinels_of(pool)
    assert [(it["host"], it["port"]) for it in sentinels] == [
        ("one", 1),
        ("two", 26379),
        ("::1", 3),
    ]
    assert {(it["username"], it["password"]) for it in sentinels} == {("w", "p&w")}
    assert pool.service_name == "main"
    server = pool.connection_kwargs
    assert (server["username"], server["password"], server["db"]) == ("app", "s/cret", 2)
    assert server["socket_timeout"] == 2.0


def test_a_service_alone_needs_no_account_and_is_in_database_0():
    pool = pool_of("redis+sentinel://one/main")

    assert pool.connection_kwargs["db"] == 0
    assert "password" not in pool.connection_kwargs
    assert not issubclass(pool.connection_class, SSLConnection)


def test_tls_holds_for_servers_and_sentinels():
    pool = pool_of("rediss+sentinel://one/main?ssl_ca_certs=ca.pem")

    assert issubclass(pool.connection_class, SSLConnection)
    assert pool.connection_kwargs["ssl_ca_certs"] == "ca.pem"
    [sentinel] = pool.sentinel_manager.sentinels
    assert issubclass(sentinel.connection_pool.connection_class, SSLConnection)
    assert sentinel.connection_pool.connection_kwargs["ssl_ca_certs"] == "ca.pem"


@pytest.mark.parametrize(
    "url",
    [
        "redis+sentinel://one",
        "redis+sentinel:///main",
        "redis+sentinel://one:port/main",
        "redis+sentinel://one,/main",
        "redis+sentinel://one/main/db",
        "http+sentinel://one/main",
    ],
)
def test_a_malformed_url_is_refused_with_the_form_that_is_wanted(url):
    with pytest.raises(ValueError, match=r"redis\+sentinel://host:port\[,host:port…\]/service"):
        redis_at(url, RunId())
