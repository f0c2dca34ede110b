"""A checkout at an earlier version or time."""

from datetime import datetime, timedelta, timezone

import pytest

from tests.system.checkout_history import create_history, events_page, version_of
from tests.system.http_user import create_checkout, error_of

SECOND = timedelta(seconds=1)


async def test_each_version_is_shown_again_exactly(http):
    path, shown = await create_history(http)

    for before in shown:
        again = await http.get(path, params={"version": version_of(before)})

        assert (again.status_code, again.json()) == (200, before.json())
        assert again.headers["etag"] == before.headers["etag"]
        assert again.headers["cache-control"] == "no-cache"
        assert again.headers["content-type"] == "application/json"
    assert len({version_of(answer) for answer in shown}) == len(shown)


async def test_every_intermediate_version_can_be_read(http):
    path, shown = await create_history(http)

    answers = [
        await http.get(path, params={"version": n}) for n in range(1, version_of(shown[-1]) + 1)
    ]

    assert {answer.status_code for answer in answers} == {200}
    assert [version_of(answer) for answer in answers] == list(range(1, len(answers) + 1))
    assert "line_items" in answers[0].json()
    assert answers[0].json()["line_items"] == []


async def test_a_time_shows_the_checkout_after_the_last_event_not_later(http):
    path, shown = await create_history(http)
    times = [datetime.fromisoformat(it["time"]) for it in await events_page(http, path)]

    for answer in shown:
        at = times[version_of(answer) - 1]
        for moment in (at, at.astimezone(timezone(timedelta(hours=5, minutes=30)))):
            then = await http.get(path, params={"at": moment.isoformat()})
            assert (then.json(), then.headers["etag"]) == (answer.json(), answer.headers["etag"])

    far = await http.get(path, params={"at": (times[-1] + 1000 * SECOND).isoformat()})
    assert far.json() == shown[-1].json()
    just_before = (times[version_of(shown[1]) - 1] - timedelta(microseconds=1)).isoformat()
    assert (await http.get(path, params={"at": just_before})).json() == shown[0].json()


async def test_a_time_may_have_nanoseconds_and_lower_case_letters(http):
    path, shown = await create_history(http)
    first = (await events_page(http, path))[version_of(shown[0]) - 1]["time"].removesuffix("Z")

    then = await http.get(path, params={"at": f"{first}999z".replace("T", "t")})

    assert then.json() == shown[0].json()


async def test_a_time_before_the_first_event_or_a_version_beyond_the_last_is_not_found(http):
    path, shown = await create_history(http)
    started = datetime.fromisoformat((await events_page(http, path))[0]["time"])

    for query in (
        {"version": version_of(shown[-1]) + 1},
        {"version": 2**31},
        {"version": 2**63},
        {"version": "9" * 6000},
        {"at": (started - timedelta(microseconds=1)).isoformat()},
        {"at": "0001-01-01T00:00:00+23:59"},
    ):
        assert error_of(await http.get(path, params=query)) == (404, "not_found"), query
    assert (await http.get(path, params={"at": "9999-12-31T23:59:59-23:59"})).status_code == 200


async def test_an_earlier_version_with_a_known_etag_is_a_304(http):
    path, shown = await create_history(http)
    tag = shown[1].headers["etag"]

    for query in ({"version": version_of(shown[1])}, {"at": "9999-01-01T00:00:00Z"}):
        known = (await http.get(path, params=query)).headers["etag"]
        same = await http.get(path, params=query, headers={"If-None-Match": f'"x", W/{known}'})
        assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", known)
    newer = await http.get(path, params={"version": 1}, headers={"If-None-Match": tag})
    assert (newer.status_code, newer.headers["etag"]) == (200, '"1"')


BAD_MOMENTS = {
    "version 0": ("version=0", "$.version"),
    "a negative version": ("version=-1", "$.version"),
    "a version in words": ("version=abc", "$.version"),
    "a version with a point": ("version=1.0", "$.version"),
    "a version with an exponent": ("version=1e0", "$.version"),
    "a version with a sign": ("version=%2B1", "$.version"),
    "a version with a zero before it": ("version=01", "$.version"),
    "a version with a space": ("version=1%20", "$.version"),
    "a version in other digits": ("version=%D9%A1", "$.version"),
    "a version that is no UTF-8": ("version=%ff", "$.version"),
    "no version": ("version=", "$.version"),
    "no version and no sign": ("version", "$.version"),
    "a version twice": ("version=1&version=1", "$.version"),
    "no time": ("at=", "$.at"),
    "a time in words": ("at=yesterday", "$.at"),
    "a time without an offset": ("at=2024-09-30T14:30:00", "$.at"),
    "a date alone": ("at=2024-09-30", "$.at"),
    "a day that there is not": ("at=2024-02-30T14:30:00Z", "$.at"),
    "an hour that there is not": ("at=2024-09-30T24:00:00Z", "$.at"),
    "an offset that there is not": ("at=2024-09-30T14:30:00%2B24:00", "$.at"),
    "a plus that became a space": ("at=2024-09-30T14:30:00+02:00", "$.at"),
    "seconds since the epoch": ("at=1727706600", "$.at"),
    "a week date": ("at=2024-W40-1T14:30:00Z", "$.at"),
    "a null character": ("at=2024-09-30T14:30:00Z%00", "$.at"),
    "a time twice": ("at=2024-09-30T14:30:00Z&at=2024-09-30T14:30:00Z", "$.at"),
    "both": ("version=1&at=2024-09-30T14:30:00Z", "$.at"),
    "something else": ("version=1&when=now", "$.when"),
    "another spelling": ("Version=1", "$.Version"),
    "what the events take": ("after=1", "$.after"),
}


@pytest.mark.parametrize(("query", "param"), BAD_MOMENTS.values(), ids=BAD_MOMENTS.keys())
@pytest.mark.parametrize("path", ["/v1/checkouts/none", None], ids=["no checkout", "a checkout"])
async def test_an_invalid_version_or_time_is_rejected_and_names_the_parameter(
    http, path, query, param
):
    path = path or await create_checkout(http)

    assert error_of(await http.get(f"{path}?{query}")) == (400, "invalid", param)


@pytest.mark.parametrize("checkout_id", ["none", "%ff%fe", "a%20b", "a%00b", "%C3%A9", "a" * 65])
@pytest.mark.parametrize(
    "below", ["?version=1", "?at=2024-09-30T14:30:00Z", "/events", "/events?after=7"]
)
async def test_the_history_of_an_unknown_checkout_is_not_found(http, checkout_id, below):
    answer = await http.get(f"/v1/checkouts/{checkout_id}{below}")

    assert error_of(answer) == (404, "not_found")


@pytest.mark.parametrize("below", ["", "?version=2", "?at=9999-01-01T00:00:00Z", "/events"])
async def test_head_returns_the_headers_of_get_without_the_body(http, below):
    path = await create_checkout(http)

    got, head = await http.get(path + below), await http.head(path + below)

    assert (head.status_code, head.content) == (200, b"")
    names = {"etag", "content-type", "content-length", "cache-control"}
    assert {name: head.headers.get(name) for name in names} == {
        name: got.headers.get(name) for name in names
    }
    assert (await http.head("/v1/checkouts/none" + below)).status_code == 404
