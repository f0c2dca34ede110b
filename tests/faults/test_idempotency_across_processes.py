"""An `Idempotency-Key` holds whichever process is asked, after a kill of all, and without Redis."""

import asyncio
import json
import uuid

import httpx
import pytest

from services.security.api_keys import Scope
from tests.faults.apis import ITEMS, client, three_apis
from tests.faults.writes import MORE, WRITES

TIMES = 50


@pytest.fixture(scope="module")
def apis(kafka_bootstrap, postgres_url):
    with three_apis(kafka_bootstrap, postgres_url, "relay", "projector") as started:
        yield started


@pytest.fixture
async def shop(apis):
    async with client(apis) as somebody:
        yield somebody


@pytest.fixture
def key():
    return {"Idempotency-Key": str(uuid.uuid4())}


def is_replayed(answer):
    return answer.headers.get("idempotent-replayed") == "true"


def told(answer):
    """All that a repeat's answer shares with the first."""
    names = ("etag", "location", "content-type", "allow")
    return (answer.status_code, answer.content, *(answer.headers.get(name) for name in names))


async def caused(shop, path, key):
    """The events that a write with this key led to."""
    events = await shop.events(path)
    return [it for it in events if it["causationid"] == key["Idempotency-Key"]]


each_write = pytest.mark.parametrize(
    ("write", "status", "events"),
    [(write, *facts) for write, facts in WRITES.items()],
    ids=[write.__name__ for write in WRITES],
)


def path_of(path, answer):
    """Where the checkout of a write is read."""
    return answer.headers.get("location") or path.removesuffix("/cancel")


@each_write
async def test_fifty_at_once_over_three_processes_are_one_write(shop, key, write, status, events):
    method, path, body = await write(shop)

    answers = await shop.ask_at_once(TIMES, method, path, json=body, headers=key)

    assert {told(answer) for answer in answers} == {told(answers[0])}
    assert answers[0].status_code == status
    assert sorted(map(is_replayed, answers)) == [False] + [True] * (TIMES - 1)
    if events is not None:
        assert len(await caused(shop, path_of(path, answers[0]), key)) == events


async def test_two_bodies_at_once_under_one_key_are_one_write_and_a_conflict(shop, key):
    for _ in range(10):
        path, key = await shop.opened(), {"Idempotency-Key": str(uuid.uuid4())}
        bodies = [{"items": [{"id": "item_123", "quantity": n}]} for n in (5, 6)]

        answers = await asyncio.gather(
            *(shop.request("PUT", path, json=bodies[n % 2], headers=key) for n in range(20))
        )

        by_body = [{answer.status_code for answer in answers[n::2]} for n in (0, 1)]
        assert sorted(by_body, key=sorted) == [{200}, {422}]
        conflicts = [it for it in answers if it.status_code == 422]
        assert {it.json()["code"] for it in conflicts} == {"idempotency_conflict"}
        assert not any(map(is_replayed, conflicts))
        assert [it["type"] for it in await caused(shop, path, key)] == [
            "checkout.ItemsUpdated",
            "checkout.CheckoutPriced",
        ]


async def test_every_answer_outlives_a_kill_of_all_processes_and_a_lost_redis(apis, shop):
    first = []
    for write in WRITES:
        method, path, body = await write(shop)
        key = {"Idempotency-Key": str(uuid.uuid4())}
        request = (method, path, {"json": body, "headers": key})
        first.append((request, await shop.request(method, path, **request[2])))

    async def again():
        for (method, path, more), answer in first:
            for repeated in await shop.ask_at_once(3, method, path, **more):
                assert told(repeated) == told(answer)
                assert is_replayed(repeated)

    apis.kill()
    apis.start()
    await again()
    apis.cluster.redis.stop()
    apis.cluster.redis.start()
    apis.until_ready()
    await again()
    apis.kill()
    apis.cluster.redis.stop()
    apis.cluster.redis.start()
    apis.start()
    await again()


async def test_writes_cut_off_by_a_kill_are_done_once_when_they_are_sent_again(apis, shop):
    keys = [{"Idempotency-Key": str(uuid.uuid4())} for _ in range(TIMES)]

    async def create(key):
        return await shop.request("POST", "/v1/checkouts", json={"items": ITEMS}, headers=key)

    for delay in (0.0, 0.05):
        in_the_air = [asyncio.create_task(create(key)) for key in keys]
        await asyncio.sleep(delay)
        apis.kill()
        cut_off = await asyncio.gather(*in_the_air, return_exceptions=True)
        assert any(isinstance(it, httpx.TransportError) for it in cut_off)
        apis.start()

    answers = [await create(key) for key in keys]
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == TIMES
    for key, answer in zip(keys, answers, strict=True):
        path = answer.headers["location"]
        assert len(await shop.events(path)) == len(await caused(shop, path, key)) == 3


async def test_one_json_value_is_one_body_however_it_is_spelled(shop, key):
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

    assert {told(answer) for answer in answers} == {told(answers[0])}
    assert list(map(is_replayed, answers)) == [False, True, True, True]


async def test_another_if_match_is_another_write(shop, key):
    path = await shop.opened()
    tag = {"If-Match": await shop.tag(path)}
    first = await shop.request("PUT", path, json=MORE, headers=key | tag)

    for other in ({}, {"If-Match": first.headers["etag"]}, {"If-Match": '"x"'}):
        answer = await shop.request("PUT", path, json=MORE, headers=key | other)
        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_conflict")
    again = await shop.request("PUT", path, json=MORE, headers=key | tag)
    assert told(again) == told(first)
    assert is_replayed(again)


async def test_what_was_turned_away_before_it_was_a_write_is_not_remembered(apis, shop, key):
    path = await shop.opened()
    as_json = {"Content-Type": "application/json"}
    reader = apis.new_key(f"reader-{uuid.uuid4().hex}", Scope.READ)
    turned_away = {
        401: {"headers": {"Authorization": "Bearer nobody's"}},
        403: {"headers": {"Authorization": f"Bearer {reader}"}},
        413: {"content": b" " * (1024 * 1024 + 1), "headers": as_json},
        415: {"content": b"{}", "headers": {"Content-Type": "text/plain"}},
        400: {"content": b"{", "headers": as_json},
    }

    for status, request in turned_away.items():
        request["headers"] |= key
        if "content" not in request:
            request["json"] = MORE
        for answer in await shop.ask_at_once(3, "PUT", path, **request):
            assert answer.status_code == status
            assert not is_replayed(answer)
    answer = await shop.request("PUT", path, json=MORE, headers=key)
    assert (answer.status_code, is_replayed(answer)) == (200, False)


async def test_a_remembered_answer_is_for_its_own_api_key_alone(apis, shop, key):
    reader = apis.new_key(f"reader-{uuid.uuid4().hex}", Scope.READ)
    writer = apis.new_key(f"writer-{uuid.uuid4().hex}", Scope.WRITE)
    request = ("POST", "/v1/checkouts")
    first = await shop.request(*request, json={"items": ITEMS}, headers=key)

    for token, status in ((None, 401), ("nobody's", 401), (reader, 403)):
        async with client(apis, token) as stranger:
            for answer in await stranger.ask_at_once(
                3, *request, json={"items": ITEMS}, headers=key
            ):
                assert answer.status_code == status
                assert not is_replayed(answer)
                assert first.json()["id"] not in answer.text
    async with client(apis, writer) as other:
        own = await other.request(*request, json={"items": ITEMS}, headers=key)
        assert (own.status_code, is_replayed(own)) == (201, False)
        assert own.json()["id"] != first.json()["id"]


async def test_a_key_counts_for_one_method_and_path(shop, key):
    path, elsewhere = await shop.opened(), await shop.opened()
    calls = [
        ("PUT", path, {}),
        ("PUT", elsewhere, MORE),
        ("POST", "/v1/checkouts", {"items": ITEMS}),
        ("POST", f"{path}/cancel", {}),
        ("POST", f"{elsewhere}/cancel", {}),
    ]

    for seen in (False, True):
        for method, where, body in calls:
            for answer in await shop.ask_at_once(1, method, where, json=body, headers=key):
                assert answer.is_success
                assert is_replayed(answer) == seen
