"""The list as clients use it: what was written is on it at once, and pages miss nothing."""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta

from tests.example_files import example
from tests.system.dev_process import DevProcess
from tests.system.http_user import ADDRESS, BUYER, ITEMS
from tests.system.kafka_user import new_id

PATH = "/v1/checkouts"


def somebody():
    """A buyer nobody else has."""
    return BUYER | {"email": f"{uuid.uuid4().hex}@example.com"}


async def make(http, buyer, **more):
    answer = await http.post(PATH, json={"items": ITEMS, "buyer": buyer, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def listed(http, **query):
    answer = await http.get(PATH, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def ids(http, **query):
    return [item["id"] for item in (await listed(http, **query))["data"]]


async def test_the_list_is_as_in_the_example(http):
    request = example("create.request")
    request["buyer"] = request["buyer"] | {"email": somebody()["email"]}
    made = await http.post(PATH, json=request)

    page = await listed(http, buyer_email=request["buyer"]["email"])

    wanted = example("list.response")
    [item], [model] = page["data"], wanted["data"]
    now = datetime.now(UTC)
    for time in ("created_at", "updated_at"):
        assert abs(now - datetime.fromisoformat(item[time])) < timedelta(minutes=1)
    model |= {"id": made.json()["id"], "buyer": request["buyer"]}
    model |= {time: item[time] for time in ("created_at", "updated_at")}
    assert page == wanted


async def test_a_checkout_is_first_on_the_list_as_soon_as_it_is_made(http):
    for _ in range(20):
        checkout_id = await make(http, somebody())

        assert await ids(http, limit=1) == [checkout_id]


async def test_each_change_is_on_the_list_as_soon_as_it_is_answered(http):
    ada, bob = somebody(), somebody()
    checkout_id = await make(http, ada)
    path = f"{PATH}/{checkout_id}"

    async def standing():
        statuses = ("not_ready_for_payment", "ready_for_payment", "canceled")
        return [
            (buyer["email"], status)
            for buyer in (ada, bob)
            for status in statuses
            if await ids(http, buyer_email=buyer["email"], status=status) == [checkout_id]
        ]

    assert await standing() == [(ada["email"], "not_ready_for_payment")]
    await http.put(path, json={"fulfillment_address": ADDRESS})
    assert await standing() == [(ada["email"], "ready_for_payment")]
    await http.put(path, json={"buyer": bob})
    assert await standing() == [(bob["email"], "ready_for_payment")]
    await http.put(path, json={"items": []})
    assert await standing() == [(bob["email"], "not_ready_for_payment")]
    await http.post(f"{path}/cancel")
    assert await standing() == [(bob["email"], "canceled")]
    [item] = (await listed(http, buyer_email=bob["email"]))["data"]
    assert item["created_at"] < item["updated_at"]
    shown = (await http.get(path)).json()
    for name in ("id", "buyer", "status", "currency", "line_items"):
        assert item[name] == shown[name]
    assert item["totals"] == [total for total in shown["totals"] if total["type"] == "total"]


async def test_what_kafka_has_accepted_is_on_the_list(http, kafka):
    buyer, checkout_id = somebody(), f"kafka-{new_id()}"

    reply = await kafka.ask("CreateCheckout", checkout_id, {"items": ITEMS, "buyer": buyer})

    assert reply["version"] > 0
    assert await ids(http, buyer_email=buyer["email"]) == [checkout_id]


async def test_hundreds_are_paged_through_while_more_are_made_and_changed(http):
    buyer = somebody()
    made = await asyncio.gather(*(make(http, buyer) for _ in range(200)))
    query = {"buyer_email": buyer["email"], "limit": 30}
    page = await listed(http, **query)
    seen = page["data"]

    while page["has_more"]:
        assert page["total_count"] == 199 + len(seen) // 30
        await make(http, buyer)
        await http.post(f"{PATH}/{seen[-1]['id']}/cancel")
        page = await listed(http, **query, cursor=seen[-1]["id"])
        seen += page["data"]

    assert sorted(item["id"] for item in seen) == sorted(made)
    times = [item["created_at"] for item in seen]
    assert times == sorted(times, reverse=True)


async def test_the_list_is_there_again_after_a_restart(tmp_path):
    before = DevProcess.start(tmp_path / "data")
    async with before.client() as http:
        made = [await make(http, somebody()) for _ in range(5)]
        await http.post(f"{PATH}/{made[0]}/cancel")
        shown = await listed(http)
    assert before.stop() == 0

    after = DevProcess.start(tmp_path / "data")
    async with after.client() as http:
        assert await listed(http) == shown
        assert await ids(http, status="canceled") == made[:1]
    assert after.stop() == 0
