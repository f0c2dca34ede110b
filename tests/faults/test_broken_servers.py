"""Kafka, PostgreSQL and Redis stop, hang and come back under load."""

import asyncio
import signal

import httpx
import psycopg

from tests.faults.cluster import API_KEY, Cluster
from tests.faults.running import of_kind, started, under_load, until_ready

OUTAGE_SECONDS = 20


async def test_http_goes_on_while_kafka_is_away_and_the_events_arrive_afterwards(
    on_own_servers: Cluster,
):
    services = await started(on_own_servers)
    async with under_load(on_own_servers, services) as counts:
        await asyncio.sleep(1)
        await asyncio.to_thread(on_own_servers.kafka.stop)
        written, read = counts["http writes"], counts["reads"]
        await asyncio.sleep(OUTAGE_SECONDS)
        assert counts["http writes"] > written + 50
        assert counts["reads"] > read + 50
        await asyncio.to_thread(on_own_servers.kafka.start)


async def test_a_kafka_that_hangs_makes_the_relay_neither_overtake_nor_stick(
    on_own_servers: Cluster,
):
    services = await started(on_own_servers)
    async with under_load(on_own_servers, services) as counts:
        await asyncio.sleep(1)
        assert on_own_servers.kafka.process
        on_own_servers.kafka.process.send_signal(signal.SIGSTOP)
        written = counts["http writes"]
        await asyncio.sleep(OUTAGE_SECONDS)
        on_own_servers.kafka.process.send_signal(signal.SIGCONT)
        assert counts["http writes"] > written + 50


async def test_postgresql_may_be_restarted_at_once_and_its_connections_be_cut(
    on_own_servers: Cluster,
):
    services = await started(on_own_servers)
    async with under_load(on_own_servers, services):
        for _ in range(20):
            await asyncio.sleep(0.2)
            await asyncio.to_thread(cut_connections, on_own_servers.database)
        await asyncio.to_thread(on_own_servers.postgres.stop_at_once)
        await asyncio.sleep(3)
        await asyncio.to_thread(on_own_servers.postgres.start)
        await asyncio.sleep(1)


async def test_redis_may_come_back_empty_old_or_after_a_hang(on_own_servers: Cluster):
    services = await started(on_own_servers)
    redis = on_own_servers.redis
    async with under_load(on_own_servers, services) as counts:
        await asyncio.sleep(1)
        await asyncio.to_thread(redis.snapshot)
        await asyncio.sleep(2)
        await asyncio.to_thread(redis.stop)
        await asyncio.to_thread(redis.start)
        await until_ready(*services)
        await asyncio.to_thread(redis.forget_snapshot)
        await asyncio.to_thread(redis.stop)
        await asyncio.to_thread(redis.start)
        await until_ready(*services)
        assert redis.process
        redis.process.send_signal(signal.SIGSTOP)
        written = counts["http writes"]
        await asyncio.sleep(OUTAGE_SECONDS)
        redis.process.send_signal(signal.SIGCONT)
        assert counts["http writes"] > written + 10


async def test_a_vacuum_of_the_events_holds_no_writer_up(on_own_servers: Cluster):
    services = await started(on_own_servers)
    async with under_load(on_own_servers, services) as counts:
        await asyncio.sleep(1)
        with psycopg.connect(on_own_servers.database, autocommit=True) as admin:
            # What VACUUM, ANALYZE and CREATE INDEX CONCURRENTLY hold, for as long as they run.
            with admin.transaction():
                admin.execute("LOCK TABLE stored_events IN SHARE UPDATE EXCLUSIVE MODE")
                written = counts["http writes"]
                await asyncio.sleep(3)
                assert counts["http writes"] > written + 20
            admin.execute("VACUUM stored_events")


async def test_readiness_says_which_server_is_lost(on_own_servers: Cluster):
    services = await started(on_own_servers)
    on_own_servers.redis.stop()

    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {API_KEY}"}) as http:
        response = await http.get(f"{of_kind(services, 'api').url}/readyz")
    assert response.status_code == 503
    checks = response.json()["checks"]
    assert checks["redis"] != "ok"
    assert checks["store"] == "ok"


def cut_connections(database: str) -> None:
    """As a failing network would: wherever each of them is, in a commit too."""
    with psycopg.connect(database, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
