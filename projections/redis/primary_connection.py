"""Connections that are used only while their server is the primary."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ReadOnlyError, ResponseError


class PrimaryConnection(AbstractConnection):
    """Closes itself when the server refuses a write because it is a replica by now.

    A server that is demoted keeps its clients' connections open. A new connection finds the primary, if the
    address leads to it by then, or is refused at its handshake (`RunId.learn`). Once a newer connection has
    found another server, this one is not used any more, although its server may still live.
    """

    run_id = ""
    newest_run_id: Callable[[], str]

    async def can_read(self) -> bool:
        """Asked by the connection pool before each use; it connects anew after such an error."""
        if self.run_id != self.newest_run_id():
            raise RedisConnectionError("another server has taken over")
        return bool(await super().can_read())

    async def read_response(self, *args: Any, **options: Any) -> Any:
        """The reply to the last command."""
        try:
            return await super().read_response(*args, **options)
        except ResponseError as error:
            # Redis before 7 wraps the error of a script into another one.
            if isinstance(error, ReadOnlyError) or "READONLY" in str(error):
                await self.disconnect()
            raise


def primary_only(
    kind: type[AbstractConnection], newest_run_id: Callable[[], str]
) -> type[AbstractConnection]:
    """The kind of connection (TCP, TLS, Unix socket), used only while its server is the primary."""
    members = {"newest_run_id": staticmethod(newest_run_id)}
    return type(f"Primary{kind.__name__}", (PrimaryConnection, kind), members)
