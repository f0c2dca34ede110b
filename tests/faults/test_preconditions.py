"""Of concurrent writers at one version exactly one succeeds, across processes and channels."""

import asyncio
import uuid

import pytest

from tests.faults.apis import api_client, three_apis
from tests.system.kafka_user import kafka_user

ROUNDS = 60
RACES = 20


@pytest.fixture(scope="module")
def apis(kafka_bootstrap, postgres_url):
    with three_apis(
        kafka_bootstrap, postgres_url, "commands", "relay", "projector"
    ) as started_apis:
        yield started_apis


@pytest.fixture
async def shop(apis):
    async with api_client(apis) as client:
        yield client


@pytest.fixture
async def kafka(apis):
    async with kafka_user(apis.cluster.kafka.bootstrap_servers) as client:
        client.prefix = apis.cluster.prefix
        yield client


def items(quantity):
    return {"items": [{"id": "item_123", "quantity": quantity}]}


def quantity(answer):
    return answer.json()["line_items"][0]["item"]["quantity"]


def error_code(reply):
    """The error code of a rejected command on Kafka, or None if it was accepted."""
    return reply.get("error", {}).get("code")


async def test_exactly_one_of_the_concurrent_writers_with_one_etag_succeeds(shop):
    path = await shop.create_checkout()

    for number in range(ROUNDS):
        tag = await shop.etag(path)
        quantities = [3 * number + n for n in (10, 11, 12)]

        answers = await asyncio.gather(
            *(
                shop.request("PUT", path, json=items(n), headers={"If-Match": tag})
                for n in quantities
            )
        )

        assert sorted(answer.status_code for answer in answers) == [200, 412, 412]
        accepted = next(answer for answer in answers if answer.status_code == 200)
        rejections = [answer.json() for answer in answers if answer.status_code == 412]
        assert {rejection["code"] for rejection in rejections} == {"version_mismatch"}
        current = await shop.request("GET", path)
        assert (current.content, current.headers["etag"]) == (
            accepted.content,
            accepted.headers["etag"],
        )
        assert quantity(current) in quantities
    events = await shop.events(path)
    assert len({event["causationid"] for event in events}) == ROUNDS + 1


async def test_only_one_of_an_update_and_a_cancel_with_one_etag_succeeds(shop):
    for _ in range(RACES):
        path = await shop.create_checkout()
        tag = {"If-Match": await shop.etag(path)}

        updated, canceled = await asyncio.gather(
            shop.request("PUT", path, json=items(9), headers=tag),
            shop.request("POST", f"{path}/cancel", headers=tag),
        )

        outcome = (updated.status_code, canceled.status_code)
        assert outcome in {(200, 412), (409, 200)}
        status = (await shop.request("GET", path)).json()["status"]
        assert (status == "canceled") == (canceled.status_code == 200)


async def test_only_one_of_if_match_over_http_and_expectedversion_over_kafka_succeeds(shop, kafka):
    path = await shop.create_checkout()
    checkout_id = path.rpartition("/")[2]

    async def over_http(number, tag, pause):
        await asyncio.sleep(pause)
        return await shop.request(
            "PUT", path, json=items(2 * number + 100), headers={"If-Match": tag}
        )

    async def over_kafka(number, tag, pause):
        await asyncio.sleep(pause)
        version = tag.strip('"')
        body = items(2 * number + 101)
        return await kafka.request("UpdateCheckout", checkout_id, body, ce_expectedversion=version)

    for number in range(RACES):
        tag = await shop.etag(path)
        # Each channel starts first in about half of the rounds.
        head_start = 0.004 * (number % 9 - 4)

        answer, reply = await asyncio.gather(
            over_http(number, tag, max(0, head_start)), over_kafka(number, tag, max(0, -head_start))
        )

        assert (answer.status_code, error_code(reply)) in {
            (200, "version_mismatch"),
            (412, None),
        }
        assert quantity(await shop.request("GET", path)) == 2 * number + 100 + (
            answer.status_code == 412
        )
    events = await shop.events(path)
    assert len({event["causationid"] for event in events}) == RACES + 1


async def test_both_channels_report_a_stale_version_with_the_same_error(shop, kafka):
    path = await shop.create_checkout()
    checkout_id, stale = path.rpartition("/")[2], await shop.etag(path)
    expected = {"ce_expectedversion": stale.strip('"')}
    await kafka.request("UpdateCheckout", checkout_id, items(4), **expected)

    for method, suffix, command, body in (
        ("PUT", "", "UpdateCheckout", items(5)),
        ("POST", "/cancel", "CancelCheckout", {}),
    ):
        answer = await shop.request(method, path + suffix, json=body, headers={"If-Match": stale})
        reply = await kafka.request(command, checkout_id, body, **expected)
        assert answer.status_code == 412
        assert reply["error"] == answer.json()


@pytest.mark.parametrize("stale", ["1", "999"])
async def test_both_channels_check_the_state_before_the_version(shop, kafka, stale):
    path, missing = await shop.create_checkout(), f"/v1/checkouts/{uuid.uuid4().hex}"
    assert (await shop.request("POST", f"{path}/cancel")).status_code == 200

    for where, method, suffix, command, status, code in (
        (path, "PUT", "", "UpdateCheckout", 409, "checkout_closed"),
        (path, "POST", "/cancel", "CancelCheckout", 405, "not_cancelable"),
        (missing, "PUT", "", "UpdateCheckout", 404, "not_found"),
        (missing, "POST", "/cancel", "CancelCheckout", 404, "not_found"),
    ):
        body = items(7) if method == "PUT" else {}
        headers = {"If-Match": f'"{stale}"'}
        answer = await shop.request(method, where + suffix, json=body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        checkout_id = where.rpartition("/")[2]
        reply = await kafka.request(command, checkout_id, body, ce_expectedversion=stale)
        assert reply["error"] == answer.json()
