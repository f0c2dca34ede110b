"""A Redis that is gone or hangs leaves no list, says so soon, and harms nobody else."""

import signal
import time

from tests.eventually import eventually_async
from tests.projections.given import views_at
from tests.projections.listed import listed, show
from tests.servers.redis import own_redis
from tests.services.http_api.test_listing import PATH, app_on, client_of


async def built(views):
    await views.are_built()  # connects, which tells which server it is
    await views.finish_rebuild(await views.begin_rebuild(), {})
    await show(views, listed("a"))


async def test_a_redis_that_hangs_or_is_gone_is_told_by_a_503_and_is_asked_again_later():
    with own_redis() as server:
        views = views_at(server.url)
        await built(views)
        async with client_of(app_on(views)) as http:

            async def status() -> int:
                return (await http.get(PATH)).status_code

            async def is_back() -> bool:
                return await status() == 200

            assert await status() == 200
            server.process.send_signal(signal.SIGSTOP)
            begun = time.monotonic()
            assert await status() == 503
            assert time.monotonic() - begun < 5
            begun = time.monotonic()
            # Half a second each, 10 s together, if each of them waited for Redis.
            assert [await status() for _ in range(20)] == [503] * 20
            assert time.monotonic() - begun < 5

            server.process.send_signal(signal.SIGCONT)
            await eventually_async(is_back)

            server.stop()
            assert await status() == 503
            server.start()
            assert await status() == 503
            await built(views)
            await eventually_async(is_back)
        await views.close()


async def test_a_client_that_errs_opens_no_breaker():
    with own_redis() as server:
        views = views_at(server.url)
        await built(views)
        async with client_of(app_on(views)) as http:
            assert (await http.get(PATH, params={"cursor": "nobody"})).status_code == 400
            assert (await http.get(PATH)).status_code == 200
        await views.close()
