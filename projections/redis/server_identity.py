"""The identity of the Redis server process: another process may have lost what was written."""

from __future__ import annotations

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ReadOnlyError

from projections.redis.primary_connection import PrimaryConnection


class RunId:
    """The `run_id` of the server, read anew by each connection. That of the newest one holds: connections to
    another server are closed before they are used again (`PrimaryConnection`).
    """

    def __init__(self, value: str = "") -> None:
        self.value = value

    async def learn(self, connection: AbstractConnection) -> None:
        """Complete a new connection's handshake and read the server's `run_id`.

        Raises `ReadOnlyError` if the server is a replica: what it holds may be older than what the primary
        had acknowledged.
        """
        await connection.on_connect()
        if (await _info(connection, "replication")).get("role") == "slave":
            raise ReadOnlyError("the server is a replica")
        self.value = (await _info(connection, "server"))["run_id"]
        if isinstance(connection, PrimaryConnection):
            connection.run_id = self.value


async def _info(connection: AbstractConnection, section: str) -> dict[str, str]:
    await connection.send_command("INFO", section)
    info = await connection.read_response()
    text = info.decode() if isinstance(info, bytes) else str(info)
    return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
