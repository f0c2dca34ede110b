"""A Redis primary, its replica, and three Sentinels that fail over from one to the other."""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from tests.eventually import eventually
from tests.servers import programs
from tests.servers.redis import OwnRedis

SERVICE = "checkout"
_DOWN_AFTER_MS = 1_000
_QUORUM = 2


class RedisWithSentinels:
    """Two servers, `servers`, of which the Sentinels make one the primary. `url` names the Sentinels.

    With passwords, servers and Sentinels require them; the Sentinels' is another one.
    """

    def __init__(self, *, password: str = "", sentinel_password: str = "") -> None:
        options = (
            "--repl-diskless-sync-delay",
            "0",
            *(("--masterauth", password) if password else ()),
        )
        self.servers = [OwnRedis(options, password) for _ in range(2)]
        self._password = password
        self._sentinel_password = sentinel_password
        self._ports = [programs.free_port() for _ in range(3)]
        self._folder = Path(tempfile.mkdtemp(prefix="checkout-sentinel-"))
        self._processes: list[subprocess.Popen[bytes]] = []

    @property
    def url(self) -> str:
        """The URL for `CHECKOUT_REDIS_URL`."""
        account = f":{self._password}@" if self._password else ""
        hosts = ",".join(f"{programs.HOST}:{port}" for port in self._ports)
        options = f"?sentinel_password={self._sentinel_password}" if self._sentinel_password else ""
        return f"redis+sentinel://{account}{hosts}/{SERVICE}/0{options}"

    def start(self) -> None:
        """Start everything, and wait until the Sentinels know of the replica and of each other."""
        first, second = self.servers
        first.start()
        second.start()
        with Redis.from_url(second.url) as client:
            client.replicaof(programs.HOST, str(first.port))
        for port in self._ports:
            self._start_sentinel(port)
        eventually(lambda: all(self._knows_all(port) for port in self._ports), within=60)

    def _start_sentinel(self, port: int) -> None:
        folder = self._folder / str(port)
        folder.mkdir()
        settings = [
            f"port {port}",
            f"bind {programs.HOST}",
            f"sentinel monitor {SERVICE} {programs.HOST} {self.servers[0].port} {_QUORUM}",
            f"sentinel down-after-milliseconds {SERVICE} {_DOWN_AFTER_MS}",
            f"sentinel failover-timeout {SERVICE} 6000",
        ]
        if self._password:
            settings.append(f"sentinel auth-pass {SERVICE} {self._password}")
        if self._sentinel_password:
            settings += [
                f"requirepass {self._sentinel_password}",
                f"sentinel sentinel-pass {self._sentinel_password}",
            ]
        configuration = folder / "sentinel.conf"
        configuration.write_text("\n".join(settings) + "\n")
        command = [str(self.servers[0].program), str(configuration), "--sentinel"]
        process = programs.start(command, folder, lambda: self._state(port) is not None, within=10)
        self._processes.append(process)

    def _state(self, port: int) -> dict[str, object] | None:
        """What a Sentinel knows of the service; None if it does not answer."""
        password = self._sentinel_password or None
        try:
            with Redis(host=programs.HOST, port=port, password=password) as client:
                found: dict[str, object] = client.sentinel_master(SERVICE)
                return found
        except RedisError:
            return None

    def _knows_all(self, port: int) -> bool:
        state = self._state(port) or {}
        return (state.get("num-slaves"), state.get("num-other-sentinels")) == (1, 2)

    @property
    def primary(self) -> OwnRedis:
        """The server that the Sentinels have for the primary."""
        states = [state for port in self._ports if (state := self._state(port))]
        return next(server for server in self.servers if server.port == states[0]["port"])

    def fail_over_from(self, server: OwnRedis) -> None:
        """Wait until the other server is the primary and the Sentinels agree on it."""
        other = next(it for it in self.servers if it is not server)

        def is_agreed() -> bool:
            states = [self._state(port) for port in self._ports]
            return all(state and state["port"] == other.port for state in states) and _is_primary(
                other
            )

        eventually(is_agreed, within=60)

    def remove(self) -> None:
        """Stop everything and delete its data."""
        for process in self._processes:
            process.send_signal(signal.SIGCONT)
            programs.end(process)
        for server in self.servers:
            server.remove()
        shutil.rmtree(self._folder)


def _is_primary(server: OwnRedis) -> bool:
    try:
        with Redis.from_url(server.url) as client:
            return client.info("replication")["role"] == "master"
    except RedisError:
        return False


@contextmanager
def redis_with_sentinels(
    *, password: str = "", sentinel_password: str = ""
) -> Iterator[RedisWithSentinels]:
    """Servers of its own for a test."""
    made = RedisWithSentinels(password=password, sentinel_password=sentinel_password)
    try:
        made.start()
        yield made
    finally:
        made.remove()
