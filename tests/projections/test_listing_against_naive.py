"""Whatever is written and asked for, the pages are those of a list that was sorted by hand."""

import asyncio

from fakeredis import FakeAsyncRedis
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.checkout import Checkout
from domain.values import Status
from projections.list_page import ListFilter
from projections.redis.views import RedisViews
from projections.registry import render_view
from tests.projections.conftest import emptied
from tests.projections.given import views_at, views_in
from tests.projections.listed import at, listed, naive_list, pages

EMAILS = st.sampled_from(["ada@example.com", "bob@example.com", "never@example.com"])
SECONDS = st.integers(0, 3)


@st.composite
def versions(draw: st.DrawFn) -> list[Checkout]:
    """Versions of some checkouts in any order, some of them twice: what retries and rivals write."""
    made = []
    for checkout_id in draw(st.sets(st.text("aZ0_-", min_size=1, max_size=3), max_size=8)):
        created = draw(SECONDS)
        for version in range(1, draw(st.integers(1, 3)) + 1):
            status = draw(st.sampled_from(Status))
            email = draw(st.none() | EMAILS)
            made.append(listed(checkout_id, created, status, email, version))
    again = draw(st.lists(st.sampled_from(made), max_size=3)) if made else []
    return draw(st.permutations(made + again))


FILTERS = st.builds(
    ListFilter,
    status=st.none() | st.sampled_from(Status),
    buyer_email=st.none() | EMAILS,
    created_after=st.none() | SECONDS.map(at),
    created_before=st.none() | SECONDS.map(at),
)


async def compare(
    views: RedisViews, written: list[Checkout], wanted: ListFilter, limit: int
) -> None:
    await emptied(views)
    for each in written:
        await views.apply([render_view(each)])
    newest = {each.id: each for each in sorted(written, key=lambda each: each.version)}

    found = await pages(views, wanted, limit)
    first = await views.page(wanted, limit)
    miscounted = await views.miscounted()
    await views.close()

    expected = naive_list(newest.values(), wanted)
    assert [item for page in found for item in page] == expected
    assert first
    assert first.total_count == len(expected)
    assert miscounted == []


@settings(max_examples=60, deadline=None)
@given(written=versions(), wanted=FILTERS, limit=st.integers(1, 4))
def test_in_process(written: list[Checkout], wanted: ListFilter, limit: int):
    asyncio.run(compare(views_in(FakeAsyncRedis()), written, wanted, limit))


@settings(max_examples=100, deadline=None)
@given(written=versions(), wanted=FILTERS, limit=st.integers(1, 4))
def test_on_redis(redis_of_ours: str, written: list[Checkout], wanted: ListFilter, limit: int):
    asyncio.run(compare(views_at(redis_of_ours), written, wanted, limit))
