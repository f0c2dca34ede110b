"""Views are shown in portions, the newest of each checkout."""

import asyncio
from collections.abc import Sequence

from projections.projection import Record
from projections.redis.views import chunks
from projections.registry import RenderedView
from services.command_handling.view_writer import ViewWriter, newest
from tests.projections.given import TrustedServer


def view(checkout_id: str, version: int = 1, size: int = 10) -> RenderedView:
    body = b"x" * size
    return RenderedView(checkout_id, version, body, (Record(body),))


def test_only_the_newest_view_of_a_checkout_is_written():
    found = newest([view("a", 2), view("b", 1), view("a", 3), view("a", 1)])

    assert found == [view("a", 3), view("b", 1)]


def test_portions_are_bounded_in_number_and_size_and_lose_nothing():
    small = [view(f"c{n}") for n in range(120)]
    large = [view(f"d{n}", size=600_000) for n in range(3)]

    assert [len(chunk) for chunk in chunks(small)] == [50, 50, 20]
    assert [len(chunk) for chunk in chunks(large)] == [1, 1, 1]
    assert [each for chunk in chunks(small + large) for each in chunk] == small + large
    assert list(chunks([])) == []


async def test_a_slow_read_model_has_its_time_for_each_portion():
    class Slow(TrustedServer):
        written = 0

        async def apply(self, views: Sequence[RenderedView]) -> bool:
            await asyncio.sleep(0.2)
            self.written += len(views)
            return True

    slow = Slow()

    assert await ViewWriter(slow).show([view(f"c{n}") for n in range(200)])
    assert slow.written == 200


async def test_an_error_of_an_unknown_kind_leaves_nobody_without_an_answer():
    class Odd(TrustedServer):
        async def apply(self, views: Sequence[RenderedView]) -> bool:
            raise KeyError("run_id")

    assert not await ViewWriter(Odd()).show([view("a")])
