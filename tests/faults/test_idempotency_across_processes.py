"""An `Idempotency-Key` works across processes, after all were killed, and without Redis."""

import asyncio
import json
import uuid

import httpx
import pytest

from services.security.api_keys import Scope
from tests.faults.apis import ITEMS, api_client, three_apis
from tests.faults.write_requests import MORE, WRITES

REPEATS = 50


@pytest.fixture(scope="module")
def apis(kafka_bootstrap, postgres_url):
    with three_apis(kafka_bootstrap, postgres_url, "relay", "projector") as started:
        yield started


@pytest.fixture
async def shop(apis):
    async with api_client(apis) as client:
        yield client


@pytest.fixture
def key():
    return {"Idempotency-Key": str(uuid.uuid4())}


def is_replayed(answer):
    return answer.headers.get("idempotent-replayed") == "true"


def response_of(answer):
    """Everything that a repeated response shares with the first."""
    names = ("etag", "location", "content-type", "allow")
    return (answer.status_code, answer.content, *(answer.headers.get(name) for name in names))


async def events_caused_by(shop, path, key):
    """The events caused by the write with this key."""
    events = await shop.events(path)
    return [event for event in events if event["causationid"] == key["Idempotency-Key"]]


each_write = pytest.mark.parametrize(
    ("write", "status", "events"),
    [(write, *facts) for write, facts in WRITES.items()],
    ids=[write.__name__ for write in WRITES],
)


def path_of(path, answer):
    """The path of the checkout that a request wrote."""
    return answer.headers.get("location") or path.removesuffix("/cancel")


@each_write
async def test_fifty_concurrent_requests_over_three_processes_are_one_write(
    shop, key, write, status, events
):
    method, path, body = await write(shop)

    answers = await shop.request_concurrently(REPEATS, method, path, json=body, headers=key)

    assert {response_of(answer) for answer in answers} == {response_of(answers[0])}
    assert answers[0].status_code == status
    assert sorted(map(is_replayed, answers)) == [False] + [True] * (REPEATS - 1)
    if events is not None:
        assert len(await events_caused_by(shop, path_of(path, answers[0]), key)) == events


async def test_two_concurrent_bodies_with_one_key_are_one_write_and_a_conflict(shop, key):
    for _ in range(10):
        path, key = await shop.create_checkout(), {"Idempotency-Key": str(uuid.uuid4())}
        bodies = [{"items": [{"id": "item_123", "quantity": n}]} for n in (5, 6)]

        answers = await asyncio.gather(
            *(shop.request("PUT", path, json=bodies[n % 2], headers=key) for n in range(20))
        )

        by_body = [{answer.status_code for answer in answers[n::2]} for n in (0, 1)]
        assert sorted(by_body, key=sorted) == [{200}, {422}]
        conflicts = [answer for answer in answers if answer.status_code == 422]
        assert {answer.json()["code"] for answer in conflicts} == {"idempotency_conflict"}
        assert not any(map(is_replayed, conflicts))
        assert [event["type"] for event in await events_caused_by(shop, path, key)] == [
            "checkout.ItemsUpdated",
            "checkout.CheckoutPriced",
        ]


async def test_remembered_responses_survive_a_kill_of_all_processes_and_a_lost_redis(apis, shop):
    first = []
    for write in WRITES:
        method, path, body = await write(shop)
        key = {"Idempotency-Key": str(uuid.uuid4())}
        request = (method, path, {"json": body, "headers": key})
        first.append((request, await shop.request(method, path, **request[2])))

    async def assert_replayed():
        for (method, path, more), answer in first:
            for repeated in await shop.request_concurrently(3, method, path, **more):
                assert response_of(repeated) == response_of(answer)
                assert is_replayed(repeated)

    apis.kill()
    apis.start()
    await assert_replayed()
    apis.cluster.redis.stop()
    apis.cluster.redis.start()
    apis.wait_until_ready()
    await assert_replayed()
    apis.kill()
    apis.cluster.redis.stop()
    apis.cluster.redis.start()
    apis.start()
    await assert_replayed()


async def test_writes_interrupted_by_a_kill_take_effect_once_when_repeated(apis, shop):
    keys = [{"Idempotency-Key": str(uuid.uuid4())} for _ in range(REPEATS)]

    async def create(key):
        return await shop.request("POST", "/v1/checkouts", json={"items": ITEMS}, headers=key)

    for delay in (0.0, 0.05):
        in_flight = [asyncio.create_task(create(key)) for key in keys]
        await asyncio.sleep(delay)
        apis.kill()
        results = await asyncio.gather(*in_flight, return_exceptions=True)
        assert any(isinstance(result, httpx.TransportError) for result in results)
        apis.start()

    answers = [await create(key) for key in keys]
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == REPEATS
    for key, answer in zip(keys, answers, strict=True):
        path = answer.headers["location"]
        assert len(await shop.events(path)) == len(await events_caused_by(shop, path, key)) == 3


async def test_different_spellings_of_one_json_value_are_the_same_body(shop, key):
    body = {"items": ITEMS, "buyer": {"first_name": "Zoë", "last_name": "D", "email": "z@d.x"}}
    headers = key | {"Content-Type": "application/json"}
    spellings = [
        json.dumps(body),
        json.dumps(body, indent=4, ensure_ascii=False),
        json.dumps(dict(reversed(body.items())), separators=(",", ":")),
        json.dumps(body).replace("item_123", "item\\u005f123"),
    ]
    assert len(set(spellings)) == len(spellings)

    answers = [
        await shop.request("POST", "/v1/checkouts", content=spelled.encode(), headers=headers)
        for spelled in spellings
    ]

    assert {response_of(answer) for answer in answers} == {response_of(answers[0])}
    assert list(map(is_replayed, answers)) == [False, True, True, True]


async def test_another_if_match_with_the_same_key_is_a_conflict(shop, key):
    path = await shop.create_checkout()
    tag = {"If-Match": await shop.etag(path)}
    first = await shop.request("PUT", path, json=MORE, headers=key | tag)

    for other in ({}, {"If-Match": first.headers["etag"]}, {"If-Match": '"x"'}):
        answer = await shop.request("PUT", path, json=MORE, headers=key | other)
        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_conflict")
    repeated = await shop.request("PUT", path, json=MORE, headers=key | tag)
    assert response_of(repeated) == response_of(first)
    assert is_replayed(repeated)


async def test_a_request_rejected_before_its_command_is_not_remembered(apis, shop, key):
    path = await shop.create_checkout()
    as_json = {"Content-Type": "application/json"}
    reader = apis.create_api_key(f"reader-{uuid.uuid4().hex}", Scope.READ)
    rejected_requests = {
        401: {"headers": {"Authorization": "Bearer nobody's"}},
        403: {"headers": {"Authorization": f"Bearer {reader}"}},
        413: {"content": b" " * (1024 * 1024 + 1), "headers": as_json},
        415: {"content": b"{}", "headers": {"Content-Type": "text/plain"}},
        400: {"content": b"{", "headers": as_json},
    }

    for status, request in rejected_requests.items():
        request["headers"] |= key
        if "content" not in request:
            request["json"] = MORE
        for answer in await shop.request_concurrently(3, "PUT", path, **request):
            assert answer.status_code == status
            assert not is_replayed(answer)
    answer = await shop.request("PUT", path, json=MORE, headers=key)
    assert (answer.status_code, is_replayed(answer)) == (200, False)


async def test_a_remembered_response_belongs_to_one_api_key(apis, shop, key):
    reader = apis.create_api_key(f"reader-{uuid.uuid4().hex}", Scope.READ)
    writer = apis.create_api_key(f"writer-{uuid.uuid4().hex}", Scope.WRITE)
    request = ("POST", "/v1/checkouts")
    first = await shop.request(*request, json={"items": ITEMS}, headers=key)

    for token, status in ((None, 401), ("nobody's", 401), (reader, 403)):
        async with api_client(apis, token) as other_client:
            for answer in await other_client.request_concurrently(
                3, *request, json={"items": ITEMS}, headers=key
            ):
                assert answer.status_code == status
                assert not is_replayed(answer)
                assert first.json()["id"] not in answer.text
    async with api_client(apis, writer) as other:
        response = await other.request(*request, json={"items": ITEMS}, headers=key)
        assert (response.status_code, is_replayed(response)) == (201, False)
        assert response.json()["id"] != first.json()["id"]


async def test_a_key_is_scoped_to_method_and_path(shop, key):
    path, other_path = await shop.create_checkout(), await shop.create_checkout()
    calls = [
        ("PUT", path, {}),
        ("PUT", other_path, MORE),
        ("POST", "/v1/checkouts", {"items": ITEMS}),
        ("POST", f"{path}/cancel", {}),
        ("POST", f"{other_path}/cancel", {}),
    ]

    for is_repeat in (False, True):
        for method, where, body in calls:
            for answer in await shop.request_concurrently(1, method, where, json=body, headers=key):
                assert answer.is_success
                assert is_replayed(answer) == is_repeat
