"""Serves an ASGI application until the process is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from http import HTTPStatus

import h11
import orjson
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from services.messages.errors import error_body
from services.runtime.settings import HTTP_KEEP_ALIVE_SECONDS

_GRACE_SECONDS = 2


class _Protocol(H11Protocol):
    """Answers a request that is not valid HTTP in flat JSON, like every other error."""

    def send_400_response(self, msg: str) -> None:
        """Send the answer and close the connection."""
        body = orjson.dumps(error_body(HTTPStatus.BAD_REQUEST, "invalid", msg))
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
        ]
        status = HTTPStatus.BAD_REQUEST
        response = h11.Response(status_code=status, headers=headers, reason=status.phrase.encode())
        for event in (response, h11.Data(data=body), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()


class CannotServe(OSError):
    """The address is in use, or not on this machine."""


class _Server(uvicorn.Server):
    """Leaves signals to us: uvicorn would raise them again, and they would end the process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture no signal."""
        yield


@contextlib.asynccontextmanager
async def serving(
    app: ASGIApp, host: str, port: int, keep_alive: int = HTTP_KEEP_ALIVE_SECONDS
) -> AsyncIterator[int]:
    """Serve within the block; yields the port, a free one for 0.

    An idle connection is closed after `keep_alive` seconds.
    Raises `CannotServe`, naming the address.
    """
    listener = _listen(host, port)
    config = uvicorn.Config(
        app,
        http=_Protocol,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        timeout_keep_alive=keep_alive,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        await task
        listener.close()


def _listen(host: str, port: int) -> socket.socket:
    try:
        return _bound(host, port)
    except OSError as error:
        raise CannotServe(f"can't serve HTTP on {host}, port {port}: {error.strerror}") from None


def _bound(host: str, port: int) -> socket.socket:
    # asyncio disables Nagle's algorithm only for sockets created as TCP. With it, each answer of
    # two writes waits some 40 ms for the peer's delayed acknowledgement.
    family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, kind, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        listener.listen(2048)
    except OSError:
        listener.close()
        raise
    return listener
