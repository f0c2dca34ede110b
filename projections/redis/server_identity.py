"""The identity of the Redis server process: another process may have lost what was written."""

from __future__ import annotations

from redis.asyncio.connection import AbstractConnection


class RunId:
    """The `run_id` of the server, read anew by each connection.

    Connections to a server that is gone fail, so the value of the newest connection holds for all.
    """

    def __init__(self, value: str = "") -> None:
        self.value = value

    async def learn(self, connection: AbstractConnection) -> None:
        """Complete a new connection's handshake and read the server's `run_id`."""
        await connection.on_connect()
        await connection.send_command("INFO", "server")
        info = await connection.read_response()
        text = info.decode() if isinstance(info, bytes) else str(info)
        fields = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
        self.value = fields["run_id"]
