"""The list over several processes and a lost Redis: never older than an answer, and 503 rather than short."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.eventually import eventually_async
from tests.faults.cluster import API_KEY, Cluster
from tests.faults.running import started

PATH = "/v1/checkouts"
ITEMS = [{"id": "item_123", "quantity": 1}]
BUYER = {"first_name": "Ada", "last_name": "King", "email": "ada@example.com"}


@pytest.fixture
async def clients(on_servers: Cluster) -> AsyncIterator[list[httpx.AsyncClient]]:
    """Clients of two API processes."""
    first, second, _ = await started(on_servers, "api", "api", "projector")
    headers = {"Authorization": f"Bearer {API_KEY}"}
    made = [httpx.AsyncClient(base_url=api.url, headers=headers) for api in (first, second)]
    yield made
    await asyncio.gather(*(client.aclose() for client in made))


async def ids(http: httpx.AsyncClient, **query: str) -> list[str] | int:
    """What a list shows, or the status that it is refused with."""
    answer = await http.get(PATH, params={"limit": "100", **query})
    if answer.status_code != 200:
        return answer.status_code
    return [item["id"] for item in answer.json()["data"]]


async def test_what_one_process_has_answered_is_on_the_list_of_another(
    clients: list[httpx.AsyncClient],
):
    writer, reader = clients
    for _ in range(20):
        made = await writer.post(PATH, json={"items": ITEMS, "buyer": BUYER})
        path = made.headers["location"]
        checkout_id = made.json()["id"]
        assert (await ids(reader))[0] == checkout_id
        assert (await ids(reader, buyer_email=BUYER["email"]))[0] == checkout_id

        assert (await writer.post(f"{path}/cancel")).status_code == 200
        assert (await ids(reader, status="canceled"))[0] == checkout_id
        assert checkout_id not in await ids(reader, status="not_ready_for_payment")


async def test_a_list_is_whole_or_refused_whatever_becomes_of_redis(
    on_servers: Cluster, clients: list[httpx.AsyncClient]
):
    http, _ = clients
    made = [(await http.post(PATH, json={"items": ITEMS})).json()["id"] for _ in range(30)]
    await asyncio.to_thread(on_servers.redis.snapshot)
    made += [(await http.post(PATH, json={"items": ITEMS})).json()["id"] for _ in range(30)]
    shown = [*reversed(made)]
    assert await ids(http) == shown
    answers: list[list[str] | int] = []

    async def is_whole_again() -> bool:
        answers.append(await ids(http))
        return answers[-1] == shown

    for forget in (lambda: None, on_servers.redis.forget_snapshot):
        await asyncio.to_thread(forget)
        await asyncio.to_thread(on_servers.redis.stop)
        assert await ids(http) == 503
        await asyncio.to_thread(on_servers.redis.start)
        await eventually_async(is_whole_again, 60)

    assert all(answer in (503, shown) for answer in answers)
