"""How long a page takes among many checkouts, and what the list costs in memory. No test: run it with

python -m tests.projections.bench_listing 1000000
"""

import asyncio
import random
import statistics
import sys
import time
from collections.abc import Awaitable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

from domain.values import Buyer, Status
from projections.list_index import INDEX
from projections.list_page import ListFilter, ListPage
from projections.redis.views import RedisViews
from projections.registry import RenderedView, render_view
from services.messages.scenario import scenario
from tests.projections.given import views_at
from tests.servers.redis import own_redis

_MODEL = scenario()["CreateCheckout"].after
_BEGIN = _MODEL.created_at
_CHUNK = 50
_TIMES = 200
_GREAT = "great@example.com"
"""A buyer who has a tenth of all checkouts; the others have three each."""

Found = TypeVar("Found")


def checkouts(count: int) -> Iterator[RenderedView]:
    """Views of so many checkouts, one a second; statuses and buyers by chance, the same each time."""
    chance = random.Random(1)
    for number in range(count):
        email = (
            _GREAT if chance.random() < 0.1 else f"buyer{chance.randrange(count // 3)}@example.com"
        )
        at = _BEGIN + timedelta(seconds=number)
        made = replace(
            _MODEL,
            id=f"checkout_{chance.getrandbits(128):032x}",
            created_at=at,
            updated_at=at,
            status=chance.choices(list(Status), [40, 20, 1, 30, 9])[0],
            buyer=Buyer(first_name="John", last_name="Doe", email=email),
        )
        yield render_view(made)


def filters(count: int) -> dict[str, ListFilter]:
    """What is asked for, by what to call it."""
    after, before = (_BEGIN + timedelta(seconds=count * n / 10) for n in (3, 7))
    rare, common = Status.IN_PROGRESS, Status.NOT_READY_FOR_PAYMENT
    return {
        "nothing": ListFilter(),
        "a common status": ListFilter(common),
        "a rare status": ListFilter(rare),
        "a buyer": ListFilter(buyer_email="buyer7@example.com"),
        "a great buyer": ListFilter(buyer_email=_GREAT),
        "a great buyer, a status": ListFilter(common, _GREAT),
        "times": ListFilter(created_after=after, created_before=before),
        "a status, times": ListFilter(rare, None, after, before),
        "a great buyer, times": ListFilter(None, _GREAT, after, before),
        "all of it": ListFilter(common, _GREAT, after, before),
        "a buyer who has none": ListFilter(common, "nobody@example.com"),
    }


async def fill(views: RedisViews, count: int) -> None:
    """Write them as the handler does, four portions at a time."""
    portions: list[list[RenderedView]] = [[]]
    for view in checkouts(count):
        if len(portions[-1]) == _CHUNK:
            portions.append([])
        portions[-1].append(view)
        if len(portions) > 4:
            await asyncio.gather(*(views.apply(portion) for portion in portions[:4]))
            portions = portions[4:]
    for portion in portions:
        await views.apply(portion)


async def timed(call: Awaitable[Found]) -> tuple[float, Found]:
    """Milliseconds that it takes, and what it gives."""
    begun = time.perf_counter()
    found = await call
    return (time.perf_counter() - begun) * 1000, found


async def measure(views: RedisViews, wanted: ListFilter, limit: int, cursor: str | None) -> str:
    """The median and the 99th percentile of a page, in milliseconds."""
    times = [(await timed(views.page(wanted, limit, cursor)))[0] for _ in range(_TIMES)]
    return f"{statistics.median(times):6.2f} {statistics.quantiles(times, n=100)[98]:6.2f}"


async def middle(views: RedisViews, count: int) -> str:
    """The id of a checkout that lies deep in the list."""
    page = await views.page(ListFilter(created_before=_BEGIN + timedelta(seconds=count / 2)), 1)
    assert isinstance(page, ListPage)
    return str(page.items[0]["id"])


async def memory(views: RedisViews) -> int:
    """Bytes that Redis uses."""
    return int((await views._redis.info("memory"))["used_memory"])


def say(line: str) -> None:
    """Tell the person who waits."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def main(count: int) -> None:
    """Fill a Redis of its own, ask, and count."""
    with own_redis() as server:
        views = views_at(server.url)
        await views.are_built()  # connects, which tells which server it is
        empty = await memory(views)
        begun = await views.begin_rebuild()
        seconds, _ = await timed(fill(views, count))
        await views.finish_rebuild(begun, {})
        say(f"{count} checkouts in {seconds / 1000:.0f} s")
        deep = await middle(views, count)
        say(f"{'ms: median, p99':28}{'20':>13}{'20 deep':>15}{'100':>15}   total_count")
        for name, wanted in filters(count).items():
            page = await views.page(wanted, 1)
            told = [
                await measure(views, wanted, *ask) for ask in ((20, None), (20, deep), (100, None))
            ]
            say(f"{name:28}{'  '.join(told)}   {page.total_count if page else '?'}")
        whole = await memory(views)
        for kept_for_the_list in (
            views.keys.index(f"{INDEX}*"),
            views.keys.record("list_entry", "*"),
        ):
            async for key in views._redis.scan_iter(kept_for_the_list, 1000):
                await views._redis.delete(key)
        bare = await memory(views)
        say(
            f"bytes a checkout: view {(bare - empty) / count:.0f}, list {(whole - bare) / count:.0f}"
        )
        await views.close()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
