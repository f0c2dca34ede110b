"""`GET /v1/checkouts/{id}/events` returns the events that were published on Kafka."""

import json

import pytest

from tests.system.checkout_history import create_history, events_page, version_of
from tests.system.http_user import ADDRESS, BUYER, create_checkout, error_of
from tests.system.kafka_user import header


async def test_events_over_http_equal_the_events_on_kafka(http, kafka):
    path, shown = await create_history(http)
    checkout_id = path.rpartition("/")[2]

    answer = await http.get(f"{path}/events")

    assert (answer.status_code, answer.json()["has_more"]) == (200, False)
    assert answer.headers["content-type"] == "application/json"
    events = answer.json()["data"]
    records = await kafka.events_of(checkout_id, version_of(shown[-1]))
    assert len(events) == len(records) == version_of(shown[-1])
    for event, record in zip(events, records, strict=True):
        assert event.pop("data") == json.loads(record.value)
        assert event.pop("datacontenttype") == header(record, "content-type")
        assert {f"ce_{name}": value for name, value in event.items()} == {
            name: value.decode() for name, value in record.headers if name != "content-type"
        }


async def test_an_event_carries_trace_correlation_and_causation_ids(http):
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    path = await create_checkout(http)
    after = version_of(await http.get(path))
    headers = {"Request-Id": "visit-7", "traceparent": trace, "Idempotency-Key": "my write"}

    await http.put(path, json={"buyer": BUYER}, headers=headers)

    [event] = await events_page(http, path, after=after)
    assert event["type"] == "checkout.BuyerUpdated"
    assert event["data"] == {"buyer": BUYER}
    assert (event["correlationid"], event["causationid"]) == ("visit-7", "my write")
    assert event["traceparent"].split("-")[1] == trace.split("-")[1]


async def test_the_history_of_a_payment_holds_no_token(http):
    path = await create_checkout(http)
    await http.put(path, json={"fulfillment_address": ADDRESS, "buyer": BUYER})
    payment = {"payment_data": {"token": "spt_123", "provider": "stripe"}}

    paid = await http.post(f"{path}/complete", json=payment)

    assert (paid.status_code, paid.json()["status"]) == (200, "completed")
    history = await http.get(f"{path}/events")
    *_, started, completed = history.json()["data"]
    assert (started["type"], completed["type"]) == (
        "checkout.PaymentStarted",
        "checkout.CheckoutCompleted",
    )
    assert "spt_123" not in history.text
    running, ended = [
        await http.get(path, params={"version": int(it["sequence"])}) for it in (started, completed)
    ]
    assert running.json()["status"] == "in_progress"
    assert ended.json() == paid.json() == completed["data"]["checkout"]


@pytest.mark.parametrize("limit", [1, 2, 3, 1000])
async def test_pages_of_events_are_complete(http, limit):
    path, shown = await create_history(http)
    found, more = [], True

    while more:
        query = {"after": len(found), "limit": limit}
        page = (await http.get(f"{path}/events", params=query)).json()
        assert len(page["data"]) == limit or not page["has_more"]
        found, more = found + page["data"], page["has_more"]

    assert [int(event["sequence"]) for event in found] == list(range(1, version_of(shown[-1]) + 1))
    assert found == await events_page(http, path)


@pytest.mark.parametrize("after", [2**31, 2**63, "9" * 6000])
async def test_a_page_after_the_last_event_is_empty(http, after):
    path, shown = await create_history(http)

    for beyond in (version_of(shown[-1]), after):
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
async def test_an_invalid_events_query_is_rejected_and_names_the_parameter(
    http, path, query, param
):
    path = path or await create_checkout(http)

    assert error_of(await http.get(f"{path}/events?{query}")) == (400, "invalid", param)
