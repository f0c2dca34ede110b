"""Concurrent writers on one checkout, over HTTP and Kafka."""

import asyncio
import json

import httpx

from tests.system.kafka_user import KafkaUser, header, new_id

ONE_ITEM = {"items": [{"id": "item_123", "quantity": 1}]}
WRITERS = 200
COMMANDS = 50
ROUNDS = 1_000


def update_body(number: int) -> dict[str, object]:
    return {"items": [{"id": "item_123", "quantity": number}]}


async def create_checkout(http: httpx.AsyncClient) -> str:
    response = await http.post("/v1/checkouts", json=ONE_ITEM)
    assert response.status_code == 201
    return str(response.json()["id"])


async def test_concurrent_puts_and_commands_on_one_checkout_lose_no_version(
    http: httpx.AsyncClient, kafka: KafkaUser
):
    checkout_id = await create_checkout(http)

    async def put(number: int) -> int:
        response = await http.put(f"/v1/checkouts/{checkout_id}", json=update_body(number))
        assert response.status_code == 200
        assert response.json()["line_items"][0]["item"]["quantity"] == number
        return int(response.headers["etag"].strip('"'))

    async def publish(number: int) -> str:
        return await kafka.publish("UpdateCheckout", checkout_id, update_body(number))

    updates = [put(number) for number in range(2, WRITERS + 2)]
    commands = [publish(5_000 + number) for number in range(COMMANDS)]
    versions, sent = await asyncio.gather(asyncio.gather(*updates), asyncio.gather(*commands))
    replied = [
        json.loads(record.value)["version"]
        for record in await kafka.records(
            "checkout.replies", lambda r: header(r, "ce_causationid") in sent, COMMANDS
        )
    ]

    reported_versions = [*versions, *replied]
    assert len(set(reported_versions)) == WRITERS + COMMANDS
    latest = await http.get(f"/v1/checkouts/{checkout_id}")
    assert latest.headers["etag"] == f'"{max(reported_versions)}"'
    events = await kafka.events_of(checkout_id, max(reported_versions))
    assert [int(header(event, "ce_sequence") or 0) for event in events] == [
        *range(1, max(reported_versions) + 1)
    ]
    lines = [e for e in events if header(e, "ce_type") == "checkout.ItemsUpdated"]
    assert json.loads(lines[-1].value)["line_items"] == latest.json()["line_items"]
    priced = [e for e in events if header(e, "ce_type") == "checkout.CheckoutPriced"]
    assert json.loads(priced[-1].value)["totals"] == latest.json()["totals"]


async def test_a_read_right_after_a_write_never_shows_an_older_version(http: httpx.AsyncClient):
    checkout_id = await create_checkout(http)
    path = f"/v1/checkouts/{checkout_id}"

    for number in range(ROUNDS):
        written = await http.put(path, json=update_body(number % 9_000 + 2))
        read = await http.get(path)

        assert written.status_code == read.status_code == 200
        assert read.headers["etag"] == written.headers["etag"]
        assert read.content == written.content


async def test_a_read_right_after_a_kafka_reply_shows_the_accepted_version(
    http: httpx.AsyncClient, kafka: KafkaUser
):
    for number in range(2, 22):
        checkout_id = new_id()
        reply = await kafka.request("CreateCheckout", checkout_id, update_body(number))
        read = await http.get(f"/v1/checkouts/{checkout_id}")

        assert read.json() == reply["checkout"]


async def test_concurrent_readers_never_see_versions_go_back(
    http: httpx.AsyncClient,
):
    checkout_id = await create_checkout(http)
    path = f"/v1/checkouts/{checkout_id}"
    writing = asyncio.create_task(_write_fifty_times(http, path))
    seen: list[int] = []

    while not writing.done():
        response = await http.get(path)
        seen.append(int(response.headers["etag"].strip('"')))

    await writing
    assert len(set(seen)) > 1
    assert seen == sorted(seen)


async def _write_fifty_times(http: httpx.AsyncClient, path: str) -> None:
    for number in range(50):
        response = await http.put(path, json=update_body(number + 2))
        assert response.status_code == 200
