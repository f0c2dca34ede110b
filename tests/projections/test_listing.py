"""A page of the list: newest first, filtered, counted, and steady while checkouts come and change."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from domain.values import Status
from projections.list_page import ListFilter, UnknownCursor
from projections.redis.views import RedisViews
from tests.projections.listed import CANCELED, READY, at, listed, naive_list, pages, show

ALL = ListFilter()


async def ids(views: RedisViews, wanted: ListFilter = ALL, limit: int = 100) -> list[str]:
    return [item["id"] for page in await pages(views, wanted, limit) for item in page]


async def test_an_item_is_the_checkout_in_short_with_its_times(views: RedisViews):
    await show(views, listed("a", 0.5, READY, "ada@example.com", version=2))

    page = await views.page(ALL, 20)

    assert page is not None
    [item] = page.items
    assert list(item) == [
        *("id", "buyer", "status", "currency", "line_items", "totals", "created_at", "updated_at")
    ]
    assert item["buyer"]["email"] == "ada@example.com"
    assert [total["type"] for total in item["totals"]] == ["total"]
    assert item["created_at"] == "2026-11-21T12:00:00.500000Z"
    assert item["updated_at"] == "2026-11-21T12:00:02.500000Z"
    assert (page.has_more, page.total_count) == (False, 1)


async def test_pages_are_steady_while_checkouts_are_made(views: RedisViews):
    await show(views, *(listed(f"c{n}", n, list(Status)[n % 3]) for n in range(9)))
    first = await views.page(ALL, 4)
    assert first is not None

    await show(views, listed("newest", 60))

    rest = await pages(views, ALL, 4, first.items[-1]["id"])
    found = [item["id"] for page in [first.items, *rest] for item in page]
    assert found == [f"c{n}" for n in reversed(range(9))]


async def test_a_checkout_that_left_the_filter_is_still_a_place_to_go_on_from(views: RedisViews):
    await show(views, *(listed(f"c{n}", n, READY, "ada") for n in range(5)))
    wanted = ListFilter(READY, "ada")
    first = await views.page(wanted, 2)
    assert first is not None
    assert [item["id"] for item in first.items] == ["c4", "c3"]

    await show(views, listed("c3", 3, CANCELED, "bob", version=2))
    await show(views, listed("c1", 1, CANCELED, "ada", version=2))

    second = await views.page(wanted, 2, "c3")
    assert second is not None
    assert [item["id"] for item in second.items] == ["c2", "c0"]
    assert (second.has_more, second.total_count) == (False, 3)


async def test_a_cursor_that_is_newer_than_the_filter_reaches_is_before_all_of_it(
    views: RedisViews,
):
    await show(views, *(listed(f"c{n}", n) for n in range(5)))
    wanted = ListFilter(created_before=at(3))

    for cursor in ("c4", "c3"):
        assert [[i["id"] for i in p] for p in await pages(views, wanted, 2, cursor)] == [
            ["c2", "c1"],
            ["c0"],
        ]


async def test_a_cursor_that_is_no_checkout_is_told_from_an_empty_page(views: RedisViews):
    await show(views, listed("a"))

    with pytest.raises(UnknownCursor):
        await views.page(ALL, 20, "b")
    assert await pages(views, ALL, 20, "a") == [[]]


async def test_times_are_exclusive_to_the_microsecond(views: RedisViews):
    micro = timedelta(microseconds=1)
    await show(views, listed("a", 1), listed("b", 1.000001), listed("c", 1.000002))

    assert await ids(views, ListFilter(created_after=at(1))) == ["c", "b"]
    assert await ids(views, ListFilter(created_before=at(1) + 2 * micro)) == ["b", "a"]
    assert await ids(views, ListFilter(created_after=at(1), created_before=at(1) + 2 * micro)) == [
        "b"
    ]
    assert await ids(views, ListFilter(created_after=at(2), created_before=at(1))) == []


async def test_the_ends_of_all_time_are_times_like_any_other(views: RedisViews):
    east, west = timezone(timedelta(hours=23)), timezone(timedelta(hours=-23))
    beginning, end = datetime(1, 1, 1, tzinfo=east), datetime.max.replace(tzinfo=west)
    await show(views, listed("a", (datetime(1, 1, 1, tzinfo=UTC) - at(0)).total_seconds()))
    await show(views, listed("b"))

    assert await ids(views, ListFilter(created_after=beginning)) == ["b", "a"]
    assert await ids(views, ListFilter(created_before=end)) == ["b", "a"]
    assert await ids(views, ListFilter(created_before=beginning)) == []
    assert await ids(views, ListFilter(created_after=end)) == []


async def test_what_was_made_at_the_same_moment_is_paged_through_without_a_miss(
    views: RedisViews,
):
    names = ["B", "a", "A", "b", "Z", "z", "_", "-", "0", "9", "aa", "a-", "a_", "aA"]
    made = [listed(name, 1, list(Status)[n % 3]) for n, name in enumerate(names)]
    await show(views, *made)

    assert await ids(views, limit=1) == sorted(names, reverse=True)
    assert [item for page in await pages(views, ALL, 3) for item in page] == naive_list(made, ALL)


async def test_an_older_view_moves_no_index_back(views: RedisViews):
    newer = listed("a", 1, CANCELED, "bob", version=3)
    await show(views, newer)

    await show(views, listed("a", 1, READY, "ada", version=2), newer)

    assert await ids(views, ListFilter(READY)) == []
    assert await ids(views, ListFilter(buyer_email="ada")) == []
    assert await ids(views, ListFilter(CANCELED, "bob")) == ["a"]


async def test_an_email_is_matched_as_it_is(views: RedisViews):
    emails = ["ada@example.com", "Ada@example.com", "ada@example.com ", "-", "x" * 500, "é: \n%"]
    await show(views, *(listed(f"c{n}", n, email=email) for n, email in enumerate(emails)))
    await show(views, listed("nobody"))

    for n, email in enumerate(emails):
        assert await ids(views, ListFilter(buyer_email=email)) == [f"c{n}"]
        assert await ids(views, ListFilter(READY, email)) == [f"c{n}"]
