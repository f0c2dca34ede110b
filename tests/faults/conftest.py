"""Real servers for each test: shared ones that it leaves alone, or its own to do with what it likes."""

from collections.abc import Iterator

import pytest

from tests.faults.cluster import Cluster, Shared, cluster, cluster_on


@pytest.fixture
def on_servers(kafka_bootstrap: str, postgres_url: str) -> Iterator[Cluster]:
    """Topics, a database and a Redis of its own. Kafka and PostgreSQL are everybody's."""
    with cluster_on(Shared(kafka_bootstrap), Shared(postgres_url)) as made:
        yield made


@pytest.fixture
def on_own_servers() -> Iterator[Cluster]:
    """All of it its own."""
    with cluster() as made:
        yield made
