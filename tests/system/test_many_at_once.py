"""Many writers on one checkout, through both doors at once."""

import asyncio
import json

import httpx

from tests.system.kafka_user import KafkaUser, header, new_id

ONE_ITEM = {"items": [{"id": "item_123", "quantity": 1}]}
WRITERS = 200
COMMANDS = 50
ROUNDS = 1_000


def quantity(number: int) -> dict[str, object]:
    return {"items": [{"id": "item_123", "quantity": number}]}


async def created(http: httpx.AsyncClient) -> str:
    response = await http.post("/v1/checkouts", json=ONE_ITEM)
    assert response.status_code == 201
    return str(response.json()["id"])


async def test_two_hundred_puts_and_as_many_commands_share_a_checkout_without_a_lost_version(
    http: httpx.AsyncClient, kafka: KafkaUser
):
    checkout_id = await created(http)

    async def put(number: int) -> int:
        response = await http.put(f"/v1/checkouts/{checkout_id}", json=quantity(number))
        assert response.status_code == 200
        assert response.json()["line_items"][0]["item"]["quantity"] == number
        return int(response.headers["etag"].strip('"'))

    async def publish(number: int) -> str:
        return await kafka.publish("UpdateCheckout", checkout_id, quantity(number))

    writes = [put(number) for number in range(2, WRITERS + 2)]
    commands = [publish(5_000 + number) for number in range(COMMANDS)]
    versions, sent = await asyncio.gather(asyncio.gather(*writes), asyncio.gather(*commands))
    replied = [
        json.loads(record.value)["version"]
        for record in await kafka.records(
            "checkout.replies", lambda r: header(r, "ce_causationid") in sent, COMMANDS
        )
    ]

    given = [*versions, *replied]
    assert len(set(given)) == WRITERS + COMMANDS
    latest = await http.get(f"/v1/checkouts/{checkout_id}")
    assert latest.headers["etag"] == f'"{max(given)}"'
    events = await kafka.events_of(checkout_id, max(given))
    assert [int(header(event, "ce_sequence") or 0) for event in events] == [
        *range(1, max(given) + 1)
    ]
    lines = [e for e in events if header(e, "ce_type") == "checkout.ItemsUpdated"]
    assert json.loads(lines[-1].value)["line_items"] == latest.json()["line_items"]
    priced = [e for e in events if header(e, "ce_type") == "checkout.CheckoutPriced"]
    assert json.loads(priced[-1].value)["totals"] == latest.json()["totals"]


async def test_a_read_right_after_a_write_never_shows_an_older_version(http: httpx.AsyncClient):
    checkout_id = await created(http)
    path = f"/v1/checkouts/{checkout_id}"

    for number in range(ROUNDS):
        written = await http.put(path, json=quantity(number % 9_000 + 2))
        read = await http.get(path)

        assert written.status_code == read.status_code == 200
        assert read.headers["etag"] == written.headers["etag"]
        assert read.content == written.content


async def test_a_read_right_after_a_reply_on_kafka_shows_what_was_accepted(
    http: httpx.AsyncClient, kafka: KafkaUser
):
    for number in range(2, 22):
        checkout_id = new_id()
        reply = await kafka.ask("CreateCheckout", checkout_id, quantity(number))
        read = await http.get(f"/v1/checkouts/{checkout_id}")

        assert read.json() == reply["checkout"]


async def test_readers_see_versions_go_forward_only_while_writers_are_at_work(
    http: httpx.AsyncClient,
):
    checkout_id = await created(http)
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
        response = await http.put(path, json=quantity(number + 2))
        assert response.status_code == 200
