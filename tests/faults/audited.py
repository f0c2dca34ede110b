"""Checkouts in the store, on Kafka and in Redis, for an auditor to look at after somebody touched them."""

from __future__ import annotations

from collections.abc import Iterator
from subprocess import CompletedProcess

import pytest
from redis import Redis

from services.event_store import EventStore, open_store
from services.event_store.positions import RELAY
from tests.eventually import eventually
from tests.faults.cluster import Cluster, Shared, cluster_on
from tests.services.audit.given import Shop, whole_life

IDS = [f"checkout_{number}" for number in range(12)]
EVENTS = 13 * len(IDS)


@pytest.fixture(scope="module")
def audited(kafka_bootstrap: str, postgres_url: str) -> Iterator[Cluster]:
    """Checkouts that the relay and the projector have taken along, after which both have ended."""
    with cluster_on(Shared(kafka_bootstrap), Shared(postgres_url)) as made:
        store = open_store(made.database)
        for checkout_id in IDS:
            whole_life(Shop(store), checkout_id)
        services = [made.add("relay"), made.add("projector")]
        eventually(lambda: store.position(RELAY) == store.newest(), within=60)
        eventually(lambda: made.run("views", "check").returncode == 0, within=60)
        for service in services:
            service.stop()
        store.close()
        yield made


@pytest.fixture
def store(audited: Cluster) -> Iterator[EventStore]:
    opened = open_store(audited.database)
    yield opened
    opened.close()


@pytest.fixture
def redis(audited: Cluster) -> Iterator[Redis]:
    with Redis.from_url(audited.redis.url) as client:
        yield client


def verify(audited: Cluster, *arguments: str) -> CompletedProcess[str]:
    return audited.run("audit", "verify", *arguments)


def violations(ended: CompletedProcess[str]) -> list[str]:
    """The lines of a verification that failed, without its last one."""
    assert (ended.returncode, ended.stderr) == (1, "")
    *lines, last = ended.stdout.splitlines()
    assert last.endswith(f": {len(lines)} violations")
    return lines
