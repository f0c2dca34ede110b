"""Decides which suite each test belongs to. The Makefile selects by the two markers that are set here.

`make test-quick`: `quick`, the tests of domain, handler, SQLite store and HTTP API that need no server.
`make test`: everything that is not `full`.
`make test-full`: `full`, which takes long: failovers of servers, long outages, rolling upgrades, generated
requests.

pytest without `-m` runs whatever was named on its command line.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest

QUICK = (
    "tests/domain/*",
    "tests/services/command_handling/*",
    "tests/services/event_store/*",
    "tests/services/http_api/*",
    "tests/services/messages/*",
    "tests/system/*_over_http.py::*",
)
FULL = (
    "tests/faults/test_audit_of_load.py::*",
    "tests/faults/test_failover_*",
    "tests/faults/test_leaderless_partition.py::*",
    "tests/faults/test_lost_commits.py::*",
    "tests/faults/test_rolling_upgrade.py::*",
    "tests/system/test_schemathesis.py::*",
)
"""Patterns of node ids; `*` also matches slashes."""

SERVER_FIXTURES = {"kafka_bootstrap", "postgres_url", "redis_url"}


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers, so that a misspelt one is an error."""
    config.addinivalue_line("markers", "quick: needs no server and no long wait (tests/suites.py)")
    config.addinivalue_line("markers", "full: takes long; `make test-full` (tests/suites.py)")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test by its place and by the servers that it needs."""
    for item in items:
        if matches(item, FULL):
            item.add_marker("full")
        elif matches(item, QUICK) and not needs_server(item):
            item.add_marker("quick")


def matches(item: pytest.Item, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(item.nodeid, pattern) for pattern in patterns)


def needs_server(item: pytest.Item) -> bool:
    """Whether the test uses a server: by fixture, by parameter, or because its module starts one."""
    parameters = item.callspec.params.values() if hasattr(item, "callspec") else ()
    starts_server = any(name.startswith("own_") for name in vars(item.module))
    uses_fixture = not SERVER_FIXTURES.isdisjoint(getattr(item, "fixturenames", ()))
    return uses_fixture or "postgres" in parameters or starts_server
