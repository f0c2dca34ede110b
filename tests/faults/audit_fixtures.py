"""Fixtures for the audit commands: checkouts in the store, on Kafka and in Redis."""

from __future__ import annotations

from collections.abc import Iterator
from subprocess import CompletedProcess

import pytest
from redis import Redis

from projections.redis.keys import Keys
from services.event_store import EventStore, open_store
from services.event_store.positions import RELAY
from tests.eventually import eventually
from tests.faults.cluster import Cluster, SharedServer, cluster_on
from tests.services.audit.given import Shop, whole_life

IDS = [f"checkout_{number}" for number in range(12)]
EVENTS = 13 * len(IDS)


@pytest.fixture(scope="module")
def audited(kafka_bootstrap: str, postgres_url: str) -> Iterator[Cluster]:
    """A cluster whose relay and projector have processed all events and were stopped."""
    with cluster_on(SharedServer(kafka_bootstrap), SharedServer(postgres_url)) as cluster:
        store = open_store(cluster.database)
        for checkout_id in IDS:
            whole_life(Shop(store), checkout_id)
        services = [cluster.add("relay"), cluster.add("projector")]
        eventually(lambda: store.position(RELAY) == store.newest(), within=60)
        eventually(lambda: cluster.run("views", "check").returncode == 0, within=60)
        for service in services:
            service.stop()
        store.close()
        yield cluster


@pytest.fixture
def store(audited: Cluster) -> Iterator[EventStore]:
    opened_store = open_store(audited.database)
    yield opened_store
    opened_store.close()


@pytest.fixture
def redis(audited: Cluster) -> Iterator[Redis]:
    with Redis.from_url(audited.redis.url) as client:
        yield client


@pytest.fixture
def keys(audited: Cluster, store: EventStore) -> Keys:
    """The keys of the audited views."""
    return Keys(audited.prefix, store.lineage())


def verify(audited: Cluster, *arguments: str) -> CompletedProcess[str]:
    return audited.run("audit", "verify", *arguments)


def violations(ended: CompletedProcess[str]) -> list[str]:
    """The violation lines of a failed verification, without the summary."""
    assert (ended.returncode, ended.stderr) == (1, "")
    *lines, last = ended.stdout.splitlines()
    assert last.endswith(f": {len(lines)} violations")
    return lines
