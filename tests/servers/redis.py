"""A Redis server for the tests, without persistence except for explicit snapshots.

Uses the server at CHECKOUT_TEST_REDIS_URL if that is set, else starts one in a temporary folder.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import RedisError

from tests.servers import programs
from tests.servers.certificates import Certificates

_REMEDY = "apt-get install redis-server, or name a server in CHECKOUT_TEST_REDIS_URL"


class OwnRedis:
    """A server that tests may stop, freeze and restart, empty or from its last snapshot.

    With a `password` it requires authentication, and with `certificates` it accepts only TLS.
    """

    def __init__(
        self,
        options: Sequence[str] = (),
        password: str = "",
        certificates: Certificates | None = None,
    ) -> None:
        program = programs.find("redis-server")
        if program is None:
            programs.missing("Redis", _REMEDY)
        self.program = program
        self._options = list(options)
        self._password = password
        self._certificates = certificates
        self._folder = Path(tempfile.mkdtemp(prefix="checkout-redis-"))
        self.port = programs.free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The server's URL."""
        account = f":{self._password}@" if self._password else ""
        address = f"{account}{programs.HOST}:{self.port}/0"
        if self._certificates is None:
            return f"redis://{address}"
        return f"rediss://{address}?ssl_ca_certs={self._certificates.authority}"

    def start(self) -> None:
        """Start the server, from the snapshot in its folder if there is one."""
        settings = ["--bind", programs.HOST, "--save", "", *self._access()]
        command = [str(self.program), *settings, "--dir", str(self._folder), *self._options]
        self.process = programs.start(command, self._folder, self._answers, within=10)

    def _access(self) -> list[str]:
        access = ["--port", str(self.port)]
        if self._certificates:
            access = ["--port", "0", "--tls-port", str(self.port), "--tls-auth-clients", "no"]
            access += ["--tls-ca-cert-file", str(self._certificates.authority)]
            access += ["--tls-cert-file", str(self._certificates.certificate)]
            access += ["--tls-key-file", str(self._certificates.key)]
        if self._password:
            access += ["--requirepass", self._password]
        return access

    def snapshot(self) -> None:
        """Write a snapshot of the data to its folder."""
        with Redis.from_url(self.url) as client:
            client.save()

    def forget_snapshot(self) -> None:
        """Delete the snapshot, so that the next start is empty."""
        (self._folder / "dump.rdb").unlink(missing_ok=True)

    def demote(self) -> None:
        """Make it a replica of a server that nobody can reach: it keeps its data and takes no writes."""
        with Redis.from_url(self.url) as client:
            client.replicaof(programs.HOST, programs.free_port())

    def promote(self) -> None:
        """Make it a primary again, with the data that it has."""
        with Redis.from_url(self.url) as client:
            client.replicaof("NO", "ONE")

    def stop(self) -> None:
        """Kill the server without saving."""
        if self.process:
            self.process.send_signal(signal.SIGCONT)
            programs.end(self.process)

    def remove(self) -> None:
        """Kill the server and delete its data."""
        self.stop()
        shutil.rmtree(self._folder)

    def _answers(self) -> bool:
        try:
            with Redis.from_url(self.url) as client:
                return bool(client.ping())
        except RedisError:
            return False


@contextmanager
def own_redis(
    options: Sequence[str] = (), password: str = "", certificates: Certificates | None = None
) -> Iterator[OwnRedis]:
    """A separate server, which the test may stop."""
    server = OwnRedis(options, password, certificates)
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """A server that all tests share."""
    if configured := os.environ.get("CHECKOUT_TEST_REDIS_URL"):
        yield configured
        return
    with own_redis() as server:
        yield server.url
