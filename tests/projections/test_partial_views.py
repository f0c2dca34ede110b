"""A view by a build that does not know all events of its checkout gives way to one by a build that does."""

from dataclasses import replace

from projections.list_page import ListFilter
from projections.redis.views import RedisViews
from projections.registry import render_view
from tests.projections.listed import CANCELED, READY, listed, show

KNOWN = listed("a", 1, READY, "ada")
PARTIAL = replace(KNOWN, version=KNOWN.version + 1, unknown_topic="GiftWrapped:1")
WHOLE = replace(KNOWN, version=KNOWN.version + 1, status=CANCELED)


async def test_a_partial_view_is_listed_and_a_read_goes_to_the_store(views: RedisViews):
    await show(views, KNOWN, PARTIAL)

    assert await views.get("a") is None
    page = await views.page(ListFilter(READY), 20)
    assert page is not None
    assert [item["id"] for item in page.items] == ["a"]


async def test_a_whole_view_of_the_same_version_replaces_it(views: RedisViews):
    await show(views, PARTIAL, WHOLE)

    assert await views.get("a") == render_view(WHOLE)
    for status, count in ((READY, 0), (CANCELED, 1)):
        page = await views.page(ListFilter(status), 20)
        assert page is not None
        assert page.total_count == count


async def test_a_partial_view_takes_no_whole_one_of_its_version_away(views: RedisViews):
    await show(views, WHOLE, PARTIAL)

    assert await views.get("a") == render_view(WHOLE)
