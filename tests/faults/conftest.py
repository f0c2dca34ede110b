"""Clusters on shared servers, or on servers that the test may stop."""

from collections.abc import Iterator

import pytest

from tests.faults.cluster import Cluster, SharedServer, cluster, cluster_on
from tests.servers.postgres_pair import PostgresPair


@pytest.fixture
def on_servers(kafka_bootstrap: str, postgres_url: str) -> Iterator[Cluster]:
    """New topics, a new database and a new Redis, on the shared Kafka and PostgreSQL."""
    with cluster_on(SharedServer(kafka_bootstrap), SharedServer(postgres_url)) as made:
        yield made


@pytest.fixture
def on_pair(kafka_bootstrap: str, pair: PostgresPair) -> Iterator[Cluster]:
    """On the shared Kafka, and on the pair of PostgreSQL servers that the module has."""
    with cluster_on(SharedServer(kafka_bootstrap), pair) as made:
        yield made


@pytest.fixture
def on_own_servers() -> Iterator[Cluster]:
    """New servers that only this test uses."""
    with cluster() as made:
        yield made
