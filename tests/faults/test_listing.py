"""The list across processes and a lost Redis: up to date, and a 503 instead of an incomplete page."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.eventually import eventually_async
from tests.faults.cluster import API_KEY, Cluster
from tests.faults.load_run import start_services

PATH = "/v1/checkouts"
ITEMS = [{"id": "item_123", "quantity": 1}]
BUYER = {"first_name": "Ada", "last_name": "King", "email": "ada@example.com"}


@pytest.fixture
async def clients(on_servers: Cluster) -> AsyncIterator[list[httpx.AsyncClient]]:
    """Clients of two API processes."""
    first, second, _ = await start_services(on_servers, "api", "api", "projector")
    headers = {"Authorization": f"Bearer {API_KEY}"}
    created = [httpx.AsyncClient(base_url=api.url, headers=headers) for api in (first, second)]
    yield created
    await asyncio.gather(*(client.aclose() for client in created))


async def list_ids(http: httpx.AsyncClient, **query: str) -> list[str] | int:
    """The ids on the list, or the status of an error response."""
    answer = await http.get(PATH, params={"limit": "100", **query})
    if answer.status_code != 200:
        return answer.status_code
    return [item["id"] for item in answer.json()["data"]]


async def test_a_write_answered_by_one_process_is_on_the_list_of_another(
    clients: list[httpx.AsyncClient],
):
    writer, reader = clients
    for _ in range(20):
        created = await writer.post(PATH, json={"items": ITEMS, "buyer": BUYER})
        path = created.headers["location"]
        checkout_id = created.json()["id"]
        assert (await list_ids(reader))[0] == checkout_id
        assert (await list_ids(reader, buyer_email=BUYER["email"]))[0] == checkout_id

        assert (await writer.post(f"{path}/cancel")).status_code == 200
        assert (await list_ids(reader, status="canceled"))[0] == checkout_id
        assert checkout_id not in await list_ids(reader, status="not_ready_for_payment")


async def test_a_list_is_complete_or_a_503_while_redis_fails(
    on_servers: Cluster, clients: list[httpx.AsyncClient]
):
    http, _ = clients
    created = [(await http.post(PATH, json={"items": ITEMS})).json()["id"] for _ in range(30)]
    await asyncio.to_thread(on_servers.redis.snapshot)
    created += [(await http.post(PATH, json={"items": ITEMS})).json()["id"] for _ in range(30)]
    complete_list = [*reversed(created)]
    assert await list_ids(http) == complete_list
    answers: list[list[str] | int] = []

    async def is_complete_again() -> bool:
        answers.append(await list_ids(http))
        return answers[-1] == complete_list

    for lose_snapshot in (lambda: None, on_servers.redis.forget_snapshot):
        await asyncio.to_thread(lose_snapshot)
        await asyncio.to_thread(on_servers.redis.stop)
        assert await list_ids(http) == 503
        await asyncio.to_thread(on_servers.redis.start)
        await eventually_async(is_complete_again, 60)

    assert all(answer in (503, complete_list) for answer in answers)
