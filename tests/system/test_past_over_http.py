"""A checkout as it was: at a version, at a time, and event by event."""

import json
from datetime import datetime, timedelta, timezone

import pytest

from tests.system.http_user import ADDRESS, BUYER, opened, problem
from tests.system.kafka_user import header

CHANGES = [
    {"fulfillment_address": ADDRESS},
    {"buyer": BUYER},
    {"items": [{"id": "item_456", "quantity": 3}], "buyer": None},
    {"fulfillment_address": None, "items": []},
]
SECOND = timedelta(seconds=1)


async def lived(http):
    """The path of a checkout with a past, and each answer that showed it to its writer."""
    path = await opened(http)
    shown = [await http.get(path)]
    shown += [await http.put(path, json=change) for change in CHANGES]
    shown.append(await http.post(f"{path}/cancel", json={"message": "Too late"}))
    assert {answer.status_code for answer in shown} == {200}
    return path, shown


def version(answer):
    return int(answer.headers["etag"].strip('"'))


async def events_of(http, path, **query):
    answer = await http.get(f"{path}/events", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


async def test_each_version_that_was_shown_once_is_shown_again_to_the_letter(http):
    path, shown = await lived(http)

    for before in shown:
        again = await http.get(path, params={"version": version(before)})

        assert (again.status_code, again.json()) == (200, before.json())
        assert again.headers["etag"] == before.headers["etag"]
        assert again.headers["cache-control"] == "no-cache"
        assert again.headers["content-type"] == "application/json"
    assert len({version(answer) for answer in shown}) == len(shown)


async def test_every_version_in_between_can_be_shown_too(http):
    path, shown = await lived(http)

    answers = [
        await http.get(path, params={"version": n}) for n in range(1, version(shown[-1]) + 1)
    ]

    assert {answer.status_code for answer in answers} == {200}
    assert [version(answer) for answer in answers] == list(range(1, len(answers) + 1))
    assert "line_items" in answers[0].json()
    assert answers[0].json()["line_items"] == []


async def test_a_time_shows_the_last_event_that_is_not_later(http):
    path, shown = await lived(http)
    times = [datetime.fromisoformat(it["time"]) for it in await events_of(http, path)]

    for answer in shown:
        at = times[version(answer) - 1]
        for moment in (at, at.astimezone(timezone(timedelta(hours=5, minutes=30)))):
            then = await http.get(path, params={"at": moment.isoformat()})
            assert (then.json(), then.headers["etag"]) == (answer.json(), answer.headers["etag"])

    far = await http.get(path, params={"at": (times[-1] + 1000 * SECOND).isoformat()})
    assert far.json() == shown[-1].json()
    just_before = (times[version(shown[1]) - 1] - timedelta(microseconds=1)).isoformat()
    assert (await http.get(path, params={"at": just_before})).json() == shown[0].json()


async def test_a_time_may_be_finer_than_ours_and_spelled_in_lower_case(http):
    path, shown = await lived(http)
    first = (await events_of(http, path))[version(shown[0]) - 1]["time"].removesuffix("Z")

    then = await http.get(path, params={"at": f"{first}999z".replace("T", "t")})

    assert then.json() == shown[0].json()


async def test_before_the_beginning_and_beyond_the_end_there_is_nothing(http):
    path, shown = await lived(http)
    begun = datetime.fromisoformat((await events_of(http, path))[0]["time"])

    for query in (
        {"version": version(shown[-1]) + 1},
        {"version": 2**31},
        {"version": 2**63},
        {"version": "9" * 6000},
        {"at": (begun - timedelta(microseconds=1)).isoformat()},
        {"at": "0001-01-01T00:00:00+23:59"},
    ):
        assert problem(await http.get(path, params=query)) == (404, "not_found"), query
    assert (await http.get(path, params={"at": "9999-12-31T23:59:59-23:59"})).status_code == 200


async def test_a_past_version_is_not_modified_for_who_has_it(http):
    path, shown = await lived(http)
    tag = shown[1].headers["etag"]

    for query in ({"version": version(shown[1])}, {"at": "9999-01-01T00:00:00Z"}):
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
async def test_a_moment_that_is_none_is_refused_and_named(http, path, query, param):
    path = path or await opened(http)

    assert problem(await http.get(f"{path}?{query}")) == (400, "invalid", param)


async def test_the_events_over_http_are_the_events_on_kafka(http, kafka):
    path, shown = await lived(http)
    checkout_id = path.rpartition("/")[2]

    answer = await http.get(f"{path}/events")

    assert (answer.status_code, answer.json()["has_more"]) == (200, False)
    assert answer.headers["content-type"] == "application/json"
    events = answer.json()["data"]
    records = await kafka.events_of(checkout_id, version(shown[-1]))
    assert len(events) == len(records) == version(shown[-1])
    for event, record in zip(events, records, strict=True):
        assert event.pop("data") == json.loads(record.value)
        assert event.pop("datacontenttype") == header(record, "content-type")
        assert {f"ce_{name}": value for name, value in event.items()} == {
            name: value.decode() for name, value in record.headers if name != "content-type"
        }


async def test_an_event_tells_the_trace_and_the_request_that_it_belongs_to(http):
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    path = await opened(http)
    after = version(await http.get(path))
    told = {"Request-Id": "visit-7", "traceparent": trace, "Idempotency-Key": "my write"}

    await http.put(path, json={"buyer": BUYER}, headers=told)

    [event] = await events_of(http, path, after=after)
    assert event["type"] == "checkout.BuyerUpdated"
    assert event["data"] == {"buyer": BUYER}
    assert (event["correlationid"], event["causationid"]) == ("visit-7", "my write")
    assert event["traceparent"].split("-")[1] == trace.split("-")[1]


async def test_a_payments_past_can_be_read_and_holds_no_token(http):
    path = await opened(http)
    await http.put(path, json={"fulfillment_address": ADDRESS, "buyer": BUYER})
    payment = {"payment_data": {"token": "spt_123", "provider": "stripe"}}

    paid = await http.post(f"{path}/complete", json=payment)

    assert (paid.status_code, paid.json()["status"]) == (200, "completed")
    told = await http.get(f"{path}/events")
    *_, started, completed = told.json()["data"]
    assert (started["type"], completed["type"]) == (
        "checkout.PaymentStarted",
        "checkout.CheckoutCompleted",
    )
    assert "spt_123" not in told.text
    running, ended = [
        await http.get(path, params={"version": int(it["sequence"])}) for it in (started, completed)
    ]
    assert running.json()["status"] == "in_progress"
    assert ended.json() == paid.json() == completed["data"]["checkout"]


@pytest.mark.parametrize("limit", [1, 2, 3, 1000])
async def test_pages_of_events_follow_one_another_without_a_hole(http, limit):
    path, shown = await lived(http)
    found, more = [], True

    while more:
        query = {"after": len(found), "limit": limit}
        page = (await http.get(f"{path}/events", params=query)).json()
        assert len(page["data"]) == limit or not page["has_more"]
        found, more = found + page["data"], page["has_more"]

    assert [int(event["sequence"]) for event in found] == list(range(1, version(shown[-1]) + 1))
    assert found == await events_of(http, path)


@pytest.mark.parametrize("after", [2**31, 2**63, "9" * 6000])
async def test_after_the_last_event_there_are_none(http, after):
    path, shown = await lived(http)

    for beyond in (version(shown[-1]), after):
        answer = await http.get(f"{path}/events", params={"after": beyond})
        assert (answer.status_code, answer.json()) == (200, {"data": [], "has_more": False})


BAD_PAGES = {
    "after -1": ("after=-1", "$.after"),
    "after 1.0": ("after=1.0", "$.after"),
    "after nothing": ("after=", "$.after"),
    "after an id": ("after=checkout:1", "$.after"),
    "after twice": ("after=1&after=2", "$.after"),
    "limit 0": ("limit=0", "$.limit"),
    "limit 1001": ("limit=1001", "$.limit"),
    "limit -1": ("limit=-1", "$.limit"),
    "a huge limit": ("limit=" + "9" * 6000, "$.limit"),
    "limit in words": ("limit=all", "$.limit"),
    "limit twice": ("limit=1&limit=1", "$.limit"),
    "a cursor": ("cursor=1", "$.cursor"),
    "a version": ("version=1", "$.version"),
}


@pytest.mark.parametrize(("query", "param"), BAD_PAGES.values(), ids=BAD_PAGES.keys())
@pytest.mark.parametrize("path", ["/v1/checkouts/none", None], ids=["no checkout", "a checkout"])
async def test_a_page_of_events_that_is_none_is_refused_and_named(http, path, query, param):
    path = path or await opened(http)

    assert problem(await http.get(f"{path}/events?{query}")) == (400, "invalid", param)


@pytest.mark.parametrize("checkout_id", ["none", "%ff%fe", "a%20b", "a%00b", "%C3%A9", "a" * 65])
@pytest.mark.parametrize(
    "below", ["?version=1", "?at=2024-09-30T14:30:00Z", "/events", "/events?after=7"]
)
async def test_an_unknown_checkout_has_no_past(http, checkout_id, below):
    answer = await http.get(f"/v1/checkouts/{checkout_id}{below}")

    assert problem(answer) == (404, "not_found")


@pytest.mark.parametrize("below", ["", "?version=2", "?at=9999-01-01T00:00:00Z", "/events"])
async def test_head_tells_of_each_read_what_get_does_but_the_body(http, below):
    path = await opened(http)

    got, head = await http.get(path + below), await http.head(path + below)

    assert (head.status_code, head.content) == (200, b"")
    told = {"etag", "content-type", "content-length", "cache-control"}
    assert {name: head.headers.get(name) for name in told} == {
        name: got.headers.get(name) for name in told
    }
    assert (await http.head("/v1/checkouts/none" + below)).status_code == 404
