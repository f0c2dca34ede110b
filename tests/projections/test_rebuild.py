"""All views are built again from the store, in place, and none is taken back."""

from collections.abc import Sequence

from domain.checkout import Checkout
from projections.rebuild import rebuild
from projections.registry import render_view
from tests.projections.given import Redis, checkout, view


class Store:
    """Stretches of a log, each with the checkouts that begin in it."""

    def __init__(self, stretches: Sequence[list[Checkout]]) -> None:
        self._stretches = stretches

    def sweep(self, position: int, limit: int) -> tuple[int, list[Checkout]]:
        if position == len(self._stretches):
            return position, []
        return position + 1, self._stretches[position]


STORE = Store([[checkout("a"), checkout("b")], [], [checkout("c")]])


async def test_every_checkout_of_the_store_is_shown_afterwards():
    views = Redis().views()
    counted: list[int] = []

    async def told(count: int) -> None:
        counted.append(count)

    assert await rebuild(views, STORE, {"t/0": 4}, told) == 3

    assert counted == [2, 2, 3, 3]
    assert [await views.get(key) for key in "abc"] == [render_view(checkout(key)) for key in "abc"]
    assert await views.positions() == {"t/0": 4}
    await views.close()


async def test_a_view_that_is_newer_than_the_store_was_read_stays():
    redis = Redis()
    views = redis.views()
    await views.apply([view(7)])

    await rebuild(views, STORE, {})

    assert await views.get("a") == view(7)
    await views.close()


async def test_an_old_snapshot_is_repaired_in_place_and_believed_again():
    redis = Redis()
    views = redis.views()
    await rebuild(views, Store([[checkout("a")]]), {})
    redis.restart(empty=False)
    assert await views.get("a") is None

    await rebuild(views, STORE, {})

    assert await views.get("c") == render_view(checkout("c"))
    await views.close()


async def test_a_redis_that_is_restarted_meanwhile_is_not_declared_whole():
    redis = Redis()
    views = redis.views()

    class Slow(Store):
        def sweep(self, position: int, limit: int) -> tuple[int, list[Checkout]]:
            redis.restart(empty=False)
            return super().sweep(position, limit)

    assert await rebuild(views, Slow([[checkout("a")]]), {}) is None
    assert not await views.are_built()
    await views.close()
