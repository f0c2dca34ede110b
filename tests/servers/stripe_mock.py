"""Stripe's stripe-mock, which validates requests against the specification of Stripe's API."""

from __future__ import annotations

import shutil
import signal
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import programs

_BIN = Path(__file__).with_name("bin")
"""The folder into which `.ci/servers` builds it with Go."""

_REMEDY = "`.ci/servers` builds it with Go 1.22 or newer"


@pytest.fixture(scope="session")
def stripe_mock_url() -> Iterator[str]:
    """A server that all tests share."""
    program = programs.find("stripe-mock", str(_BIN))
    if program is None:
        programs.missing("stripe-mock", _REMEDY)
    port, port_for_tls = programs.free_port(), programs.free_port()
    # Without an explicit address it would listen for TLS on all interfaces.
    command = [str(program), "-http-addr", f"{programs.HOST}:{port}"]
    command += ["-https-addr", f"{programs.HOST}:{port_for_tls}"]
    folder = Path(tempfile.mkdtemp(prefix="checkout-stripe-mock-"))
    try:
        process = programs.start(command, folder, lambda: _listens(port), within=30)
        yield f"http://{programs.HOST}:{port}"
        programs.end(process, signal.SIGTERM)
    finally:
        shutil.rmtree(folder)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((programs.HOST, port)) == 0
