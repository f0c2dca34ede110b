"""Connections that are used only while their server is a primary."""

from __future__ import annotations

from typing import Any

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ReadOnlyError, ResponseError


class PrimaryConnection(AbstractConnection):
    """Closes itself when the server refuses a write because it is a replica by now.

    A server that is demoted keeps its clients' connections open. A new connection finds the primary, if the
    address leads to it by then, or is refused at its handshake (`RunId.learn`).
    """

    async def read_response(self, *args: Any, **options: Any) -> Any:
        """The reply to the last command."""
        try:
            return await super().read_response(*args, **options)
        except ResponseError as error:
            # Redis before 7 wraps the error of a script into another one.
            if isinstance(error, ReadOnlyError) or "READONLY" in str(error):
                await self.disconnect()
            raise


def primary_only(kind: type[AbstractConnection]) -> type[AbstractConnection]:
    """The kind of connection (TCP, TLS, Unix socket), used only while its server is a primary."""
    return type(f"Primary{kind.__name__}", (PrimaryConnection, kind), {})
