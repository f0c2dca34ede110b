"""What clients may rely on of the server below the application."""

import asyncio

import pytest
from starlette.responses import PlainTextResponse

from services.bootstrap.http_server import serving

GET = b"GET / HTTP/1.1\r\nHost: checkout\r\n\r\n"


async def test_a_connection_outlasts_the_time_for_which_a_client_keeps_it_idle():
    # httpx drops an idle connection after 5 s: a server that does so too may close it under a request.
    async with serving(PlainTextResponse("here"), "127.0.0.1", 0) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(GET)
        await reader.readuntil(b"here")

        with pytest.raises(TimeoutError):  # Nothing comes, the end of the connection neither.
            await asyncio.wait_for(reader.read(1), 7)

        writer.write(GET)
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        writer.close()


async def test_an_idle_connection_does_not_hold_up_the_end_of_the_server():
    async with serving(PlainTextResponse("here"), "127.0.0.1", 0) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(GET)
        await reader.readuntil(b"here")

    assert await asyncio.wait_for(reader.read(), 5) == b""
    writer.close()
