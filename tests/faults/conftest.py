"""Servers for each test of its own: it may do to them what it likes."""

from collections.abc import Iterator

import pytest

from tests.faults.cluster import Cluster, cluster


@pytest.fixture
def on_servers() -> Iterator[Cluster]:
    with cluster() as made:
        yield made
