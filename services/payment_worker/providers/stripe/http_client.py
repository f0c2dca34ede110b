"""The HTTP client of Stripe's library: its own passes httpx what current versions no longer take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx
import stripe


class StripeHTTPClient(stripe.HTTPClient):
    """Asynchronous only. `timeout` is for each connect, read and write, in seconds."""

    name = "httpx"

    def __init__(self, timeout: float) -> None:
        super().__init__()
        self._client = httpx.AsyncClient(timeout=timeout)

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """Send a request. Raises `APIConnectionError` without a complete answer."""
        try:
            response = await self._client.request(
                method, url, headers=dict(headers), content=post_data
            )
        except httpx.HTTPError as error:
            # The type only: the text of an error may contain what was sent.
            kind = type(error).__name__
            raise stripe.APIConnectionError(kind) from None  # type: ignore[no-untyped-call]
        return response.content, response.status_code, response.headers

    async def close_async(self) -> None:
        """Close the connections."""
        await self._client.aclose()
