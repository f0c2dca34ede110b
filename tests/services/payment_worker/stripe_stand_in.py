"""A loopback server in the place of Stripe's: it gives the answers it is told to, keeping what was asked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from services.payment_worker.providers.stripe.gateway import StripeGateway

KEY = "sk_test_51Secret"


@dataclass
class Asked:
    method: str
    path: str
    headers: dict[str, str]
    form: dict[str, str]


@dataclass
class Answer:
    """`cut` closes the connection after so many bytes of the body; `after` is in seconds."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int | None = None
    after: float = 0.0


def answer(status: int, body: Any, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, json.dumps(body).encode(), {"request-id": "req_1", **named})


def intent(status: str, **more: Any) -> Answer:
    return answer(200, {"id": "pi_1", "object": "payment_intent", "status": status, **more})


def error(status: int, **said: Any) -> Answer:
    return answer(status, {"error": said})


class StripeStandIn:
    """Gives its answers in their order; what is asked beyond them gets a 500."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.asked: list[Asked] = []

    def will(self, *answers: Answer) -> None:
        self.answers += answers

    @property
    def calls(self) -> list[tuple[str, str]]:
        return [(asked.method, asked.path) for asked in self.asked]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            method, path, _ = head[0].split(" ")
            headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in head[1:-2])}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            self.asked.append(Asked(method, path, headers, dict(parse_qsl(body.decode()))))
            given = self.answers.pop(0) if self.answers else error(500, message="nothing to say")
            await asyncio.sleep(given.after)
            lines = [f"HTTP/1.1 {given.status} Said", f"content-length: {len(given.body)}"]
            lines += [f"{name}: {value}" for name, value in given.headers.items()]
            writer.write("\r\n".join([*lines, "connection: close", "", ""]).encode())
            writer.write(given.body[: given.cut])
            await writer.drain()
        except ConnectionError:
            pass  # Whoever asked has given up.
        finally:
            writer.close()


@asynccontextmanager
async def stripe_standing_in(
    within: float = 10.0,
) -> AsyncIterator[tuple[StripeStandIn, StripeGateway]]:
    """The stand-in, and the provider that asks it."""
    stand_in = StripeStandIn()
    server = await asyncio.start_server(stand_in.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    provider = StripeGateway(KEY, address=f"http://127.0.0.1:{port}", timeout=within)
    try:
        yield stand_in, provider
    finally:
        await provider.close()
        server.close()
        await server.wait_closed()
