"""Outages of Kafka, PostgreSQL and Redis under load: stopped, hanging, restarted."""

import asyncio
import signal

import httpx
import psycopg

from tests.faults.cluster import API_KEY, Cluster
from tests.faults.load_run import (
    find_service,
    start_services,
    under_load,
    wait_for_count,
    wait_until_ready,
)

OUTAGE_SECONDS = 20


async def test_http_works_while_kafka_is_down_and_events_are_published_afterwards(
    on_own_servers: Cluster,
):
    services = await start_services(on_own_servers)
    async with under_load(on_own_servers, services) as counts:
        await asyncio.sleep(1)
        await asyncio.to_thread(on_own_servers.kafka.stop)
        written, read = counts["http writes"], counts["reads"]
        await asyncio.sleep(OUTAGE_SECONDS)
        assert counts["http writes"] > written + 50
        assert counts["reads"] > read + 50
        await asyncio.to_thread(on_own_servers.kafka.start)


async def test_a_hanging_kafka_neither_reorders_nor_blocks_the_relay(
    on_own_servers: Cluster,
):
    services = await start_services(on_own_servers)
    async with under_load(on_own_servers, services) as counts:
        await asyncio.sleep(1)
        assert on_own_servers.kafka.process
        on_own_servers.kafka.process.send_signal(signal.SIGSTOP)
        written = counts["http writes"]
        await asyncio.sleep(OUTAGE_SECONDS)
        on_own_servers.kafka.process.send_signal(signal.SIGCONT)
        assert counts["http writes"] > written + 50


async def test_cut_connections_and_an_immediate_restart_of_postgresql_lose_nothing(
    on_own_servers: Cluster,
):
    services = await start_services(on_own_servers)
    async with under_load(on_own_servers, services):
        for _ in range(20):
            await asyncio.sleep(0.2)
            await asyncio.to_thread(terminate_connections, on_own_servers.database)
        await asyncio.to_thread(on_own_servers.postgres.stop_at_once)
        await asyncio.sleep(3)
        await asyncio.to_thread(on_own_servers.postgres.start)
        await asyncio.sleep(1)


async def test_redis_may_return_empty_outdated_or_after_a_hang(on_own_servers: Cluster):
    services = await start_services(on_own_servers)
    redis = on_own_servers.redis
    async with under_load(on_own_servers, services) as counts:
        await asyncio.sleep(1)
        await asyncio.to_thread(redis.snapshot)
        await asyncio.sleep(2)
        await asyncio.to_thread(redis.stop)
        await asyncio.to_thread(redis.start)
        await wait_until_ready(*services)
        await asyncio.to_thread(redis.forget_snapshot)
        await asyncio.to_thread(redis.stop)
        await asyncio.to_thread(redis.start)
        await wait_until_ready(*services)
        assert redis.process
        redis.process.send_signal(signal.SIGSTOP)
        written = counts["http writes"]
        await asyncio.sleep(OUTAGE_SECONDS)
        redis.process.send_signal(signal.SIGCONT)
        assert counts["http writes"] > written + 10


async def test_a_vacuum_of_the_events_blocks_no_writer(on_own_servers: Cluster):
    services = await start_services(on_own_servers)
    async with under_load(on_own_servers, services) as counts:
        await asyncio.sleep(1)
        with psycopg.connect(on_own_servers.database, autocommit=True) as admin:
            # VACUUM, ANALYZE and CREATE INDEX CONCURRENTLY hold this lock for as long as they run.
            with admin.transaction():
                admin.execute("LOCK TABLE stored_events IN SHARE UPDATE EXCLUSIVE MODE")
                await wait_for_count(counts, "http writes", by=20)
            admin.execute("VACUUM stored_events")


async def test_readiness_names_the_lost_server(on_own_servers: Cluster):
    services = await start_services(on_own_servers)
    on_own_servers.redis.stop()

    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {API_KEY}"}) as http:
        response = await http.get(f"{find_service(services, 'api').url}/readyz")
    assert (response.status_code, response.json()["status"]) == (200, "degraded")
    checks = response.json()["checks"]
    assert checks["redis"] != "ok"
    assert checks["store"] == "ok"


def terminate_connections(database: str) -> None:
    """Terminate all connections at once, as a network failure would, even during a commit."""
    with psycopg.connect(database, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
