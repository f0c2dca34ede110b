"""A request that is still open when its process stops."""

import asyncio
from typing import Any

import orjson

from services.http_api.middleware import RequestMiddleware

SCOPE = {"type": "http", "method": "PUT", "path": "/v1/checkouts/a", "headers": []}


async def test_it_is_answered_with_a_503_that_says_the_write_may_be_repeated():
    begun = asyncio.Event()
    sent: list[dict[str, Any]] = []

    async def hangs(*_: object) -> None:
        begun.set()
        await asyncio.Event().wait()

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    request = asyncio.create_task(RequestMiddleware(hangs)(dict(SCOPE), receive, send))
    await begun.wait()
    request.cancel()
    await request

    start, body = sent
    assert start["status"] == 503
    headers = dict(start["headers"])
    assert headers[b"retry-after"] == b"1"
    assert headers[b"content-type"] == b"application/json"
    assert orjson.loads(body["body"])["code"] == "service_unavailable"
    assert "Idempotency-Key" in orjson.loads(body["body"])["message"]
