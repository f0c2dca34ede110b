"""What has happened to a checkout, event by event: over HTTP as on Kafka."""

import json

import pytest

from tests.system.http_user import ADDRESS, BUYER, opened, problem
from tests.system.kafka_user import header
from tests.system.past_user import events_of, lived, version


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
