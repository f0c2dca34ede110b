"""Of all who write at the version they saw, one succeeds: whichever process and door they came by."""

import asyncio
import uuid

import pytest

from tests.faults.apis import client, three_apis
from tests.system.kafka_user import kafka_user

ROUNDS = 60
CONTESTS = 20


@pytest.fixture(scope="module")
def apis(kafka_bootstrap, postgres_url):
    with three_apis(kafka_bootstrap, postgres_url, "commands", "relay", "projector") as started:
        yield started


@pytest.fixture
async def shop(apis):
    async with client(apis) as somebody:
        yield somebody


@pytest.fixture
async def kafka(apis):
    async with kafka_user(apis.cluster.kafka.bootstrap_servers) as user:
        user.prefix = apis.cluster.prefix
        yield user


def items(quantity):
    return {"items": [{"id": "item_123", "quantity": quantity}]}


def quantity(answer):
    return answer.json()["line_items"][0]["item"]["quantity"]


def error(reply):
    """What a command was refused with over Kafka, nothing if it was accepted."""
    return reply.get("error", {}).get("code")


async def test_of_writers_with_the_same_tag_at_once_exactly_one_succeeds(shop):
    path = await shop.opened()

    for number in range(ROUNDS):
        tag = await shop.tag(path)
        wishes = [3 * number + n for n in (10, 11, 12)]

        answers = await asyncio.gather(
            *(shop.request("PUT", path, json=items(n), headers={"If-Match": tag}) for n in wishes)
        )

        assert sorted(answer.status_code for answer in answers) == [200, 412, 412]
        winner = next(answer for answer in answers if answer.status_code == 200)
        rejections = [answer.json() for answer in answers if answer.status_code == 412]
        assert {it["code"] for it in rejections} == {"version_mismatch"}
        now = await shop.request("GET", path)
        assert (now.content, now.headers["etag"]) == (winner.content, winner.headers["etag"])
        assert quantity(now) in wishes
    events = await shop.events(path)
    assert len({event["causationid"] for event in events}) == ROUNDS + 1


async def test_an_update_and_a_cancel_with_the_same_tag_exclude_each_other(shop):
    for _ in range(CONTESTS):
        path = await shop.opened()
        tag = {"If-Match": await shop.tag(path)}

        updated, canceled = await asyncio.gather(
            shop.request("PUT", path, json=items(9), headers=tag),
            shop.request("POST", f"{path}/cancel", headers=tag),
        )

        outcome = (updated.status_code, canceled.status_code)
        assert outcome in {(200, 412), (409, 200)}
        status = (await shop.request("GET", path)).json()["status"]
        assert (status == "canceled") == (canceled.status_code == 200)


async def test_if_match_over_http_and_expectedversion_over_kafka_exclude_each_other(shop, kafka):
    path = await shop.opened()
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

    for number in range(CONTESTS):
        tag = await shop.tag(path)
        # Now the one begins earlier, now the other.
        ahead = 0.004 * (number % 9 - 4)

        answer, reply = await asyncio.gather(
            over_http(number, tag, max(0, ahead)), over_kafka(number, tag, max(0, -ahead))
        )

        assert (answer.status_code, error(reply)) in {
            (200, "version_mismatch"),
            (412, None),
        }
        assert quantity(await shop.request("GET", path)) == 2 * number + 100 + (
            answer.status_code == 412
        )
    events = await shop.events(path)
    assert len({event["causationid"] for event in events}) == CONTESTS + 1


async def test_both_doors_tell_a_stale_version_in_the_same_words(shop, kafka):
    path = await shop.opened()
    checkout_id, stale = path.rpartition("/")[2], await shop.tag(path)
    expected = {"ce_expectedversion": stale.strip('"')}
    await kafka.request("UpdateCheckout", checkout_id, items(4), **expected)

    for method, below, command, body in (
        ("PUT", "", "UpdateCheckout", items(5)),
        ("POST", "/cancel", "CancelCheckout", {}),
    ):
        answer = await shop.request(method, path + below, json=body, headers={"If-Match": stale})
        reply = await kafka.request(command, checkout_id, body, **expected)
        assert answer.status_code == 412
        assert reply["error"] == answer.json()


@pytest.mark.parametrize("stale", ["1", "999"])
async def test_the_state_is_told_before_the_version_at_both_doors(shop, kafka, stale):
    path, missing = await shop.opened(), f"/v1/checkouts/{uuid.uuid4().hex}"
    assert (await shop.request("POST", f"{path}/cancel")).status_code == 200

    for where, method, below, command, status, code in (
        (path, "PUT", "", "UpdateCheckout", 409, "checkout_closed"),
        (path, "POST", "/cancel", "CancelCheckout", 405, "not_cancelable"),
        (missing, "PUT", "", "UpdateCheckout", 404, "not_found"),
        (missing, "POST", "/cancel", "CancelCheckout", 404, "not_found"),
    ):
        body = items(7) if method == "PUT" else {}
        headers = {"If-Match": f'"{stale}"'}
        answer = await shop.request(method, where + below, json=body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        checkout_id = where.rpartition("/")[2]
        reply = await kafka.request(command, checkout_id, body, ce_expectedversion=stale)
        assert reply["error"] == answer.json()
