"""`GET /v1/checkouts` shows each write at once, and its pages are complete."""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta

from tests.example_files import example
from tests.system.dev_process import DevProcess
from tests.system.http_user import ADDRESS, BUYER, ITEMS
from tests.system.kafka_user import new_id

PATH = "/v1/checkouts"


def unique_buyer():
    """A buyer with a unique e-mail address."""
    return BUYER | {"email": f"{uuid.uuid4().hex}@example.com"}


async def create(http, buyer, **more):
    answer = await http.post(PATH, json={"items": ITEMS, "buyer": buyer, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def list_page(http, **query):
    answer = await http.get(PATH, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def list_ids(http, **query):
    return [item["id"] for item in (await list_page(http, **query))["data"]]


async def test_the_list_matches_the_example(http):
    request = example("create.request")
    request["buyer"] = request["buyer"] | {"email": unique_buyer()["email"]}
    created = await http.post(PATH, json=request)

    page = await list_page(http, buyer_email=request["buyer"]["email"])

    expected = example("list.response")
    [item], [expected_item] = page["data"], expected["data"]
    now = datetime.now(UTC)
    for time in ("created_at", "updated_at"):
        assert abs(now - datetime.fromisoformat(item[time])) < timedelta(minutes=1)
    expected_item |= {"id": created.json()["id"], "buyer": request["buyer"]}
    expected_item |= {time: item[time] for time in ("created_at", "updated_at")}
    assert page == expected


async def test_a_new_checkout_is_first_on_the_list_at_once(http):
    for _ in range(20):
        checkout_id = await create(http, unique_buyer())

        assert await list_ids(http, limit=1) == [checkout_id]


async def test_the_list_shows_each_change_right_after_its_response(http):
    ada, bob = unique_buyer(), unique_buyer()
    checkout_id = await create(http, ada)
    path = f"{PATH}/{checkout_id}"

    async def current_filters():
        statuses = ("not_ready_for_payment", "ready_for_payment", "canceled")
        return [
            (buyer["email"], status)
            for buyer in (ada, bob)
            for status in statuses
            if await list_ids(http, buyer_email=buyer["email"], status=status) == [checkout_id]
        ]

    assert await current_filters() == [(ada["email"], "not_ready_for_payment")]
    await http.put(path, json={"fulfillment_address": ADDRESS})
    assert await current_filters() == [(ada["email"], "ready_for_payment")]
    await http.put(path, json={"buyer": bob})
    assert await current_filters() == [(bob["email"], "ready_for_payment")]
    await http.put(path, json={"items": []})
    assert await current_filters() == [(bob["email"], "not_ready_for_payment")]
    await http.post(f"{path}/cancel")
    assert await current_filters() == [(bob["email"], "canceled")]
    [item] = (await list_page(http, buyer_email=bob["email"]))["data"]
    assert item["created_at"] < item["updated_at"]
    shown = (await http.get(path)).json()
    for name in ("id", "buyer", "status", "currency", "line_items"):
        assert item[name] == shown[name]
    assert item["totals"] == [total for total in shown["totals"] if total["type"] == "total"]


async def test_a_checkout_created_over_kafka_is_on_the_list(http, kafka):
    buyer, checkout_id = unique_buyer(), f"kafka-{new_id()}"

    reply = await kafka.request("CreateCheckout", checkout_id, {"items": ITEMS, "buyer": buyer})

    assert reply["version"] > 0
    assert await list_ids(http, buyer_email=buyer["email"]) == [checkout_id]


async def test_pages_are_complete_while_checkouts_are_created_and_changed(http):
    buyer = unique_buyer()
    created = await asyncio.gather(*(create(http, buyer) for _ in range(200)))
    query = {"buyer_email": buyer["email"], "limit": 30}
    page = await list_page(http, **query)
    seen = page["data"]

    while page["has_more"]:
        assert page["total_count"] == 199 + len(seen) // 30
        await create(http, buyer)
        await http.post(f"{PATH}/{seen[-1]['id']}/cancel")
        page = await list_page(http, **query, cursor=seen[-1]["id"])
        seen += page["data"]

    assert sorted(item["id"] for item in seen) == sorted(created)
    times = [item["created_at"] for item in seen]
    assert times == sorted(times, reverse=True)


async def test_the_list_is_the_same_after_a_restart(tmp_path):
    before = DevProcess.start(tmp_path / "data")
    async with before.client() as http:
        created = [await create(http, unique_buyer()) for _ in range(5)]
        await http.post(f"{PATH}/{created[0]}/cancel")
        shown = await list_page(http)
    assert before.stop() == 0

    after = DevProcess.start(tmp_path / "data")
    async with after.client() as http:
        assert await list_page(http) == shown
        assert await list_ids(http, status="canceled") == created[:1]
    assert after.stop() == 0
