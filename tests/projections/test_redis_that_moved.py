"""An address leads to another server, while the first one lives on and still says that it is a primary."""

import asyncio
from pathlib import Path

from redis.asyncio import Redis

from tests.projections.given import views_at
from tests.projections.listed import listed, show
from tests.servers.redis import own_redis


async def test_connections_to_the_first_server_are_not_used_any_more(tmp_path: Path):
    address, first_socket, second_socket = (tmp_path / name for name in ("now", "1", "2"))
    with (
        own_redis(["--unixsocket", str(first_socket)]) as first,
        own_redis(["--unixsocket", str(second_socket)]) as second,
    ):
        address.symlink_to(first_socket)
        views = views_at(f"unix://{address}")
        await views.finish_rebuild(await views.begin_rebuild(), {})
        await asyncio.gather(*(show(views, listed(f"before{n}")) for n in range(5)))
        assert views.run_id
        first_run_id = views.run_id
        async with Redis.from_url(first.url) as at_first, Redis.from_url(second.url) as at_second:
            known_to_first = await at_first.dbsize()
            address.unlink()
            address.symlink_to(second_socket)
            await asyncio.gather(*(views.are_built() for _ in range(20)))
            assert views.run_id != first_run_id

            await asyncio.gather(*(show(views, listed(f"after{n}")) for n in range(20)))

            assert await at_first.dbsize() == known_to_first
            assert await at_second.dbsize() > 0
            assert not await views.are_built()
        await views.close()
