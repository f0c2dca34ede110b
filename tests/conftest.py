"""Shared servers for all tests of a process, and a count of tests skipped without one."""

import pytest

from tests.servers.programs import MISSING

pytest_plugins = [
    "tests.suites",
    "tests.servers.kafka",
    "tests.servers.postgres",
    "tests.servers.redis",
    "tests.servers.stripe_mock",
]


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print how many tests were skipped for lack of a program; `make test` repeats it as its last line."""
    skipped = [r for r in terminalreporter.getreports("skipped") if MISSING in str(r.longrepr)]
    summary = f"{len(skipped)} tests were skipped for lack of a server or a program"
    if skipped:
        summary += ": see their reasons, and `.ci/servers`, which installs what it may"
    terminalreporter.write_line(summary)
    if hasattr(config, "cache") and config.cache:
        (config.cache.mkdir("servers") / "skipped").write_text(f"{summary}\n")
