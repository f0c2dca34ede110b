"""Three API processes over one store and one Redis, for who asks all of them at once."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from services.security.api_keys import Scope, create_key
from tests.eventually import eventually
from tests.faults.cluster import API_KEY, Cluster, ServiceProcess, Shared, cluster_on

ITEMS = [{"id": "item_123", "quantity": 2}]


@dataclass
class Apis:
    """The processes, and whoever asks them."""

    cluster: Cluster
    processes: Sequence[ServiceProcess]

    def kill(self) -> None:
        """SIGKILL to all of them."""
        for process in self.processes:
            process.kill()

    def start(self) -> None:
        """Start them again, and wait until they are ready."""
        for process in self.processes:
            process.start()
        self.until_ready()

    def until_ready(self) -> None:
        """Wait until all services of the cluster are ready."""
        for service in self.cluster.services:
            eventually(service.is_ready, within=60)

    def new_key(self, name: str, *scopes: Scope) -> str:
        """The token of a new API key, once every process knows it."""
        token = f"the token of {name}"
        create_key(self.cluster.folder / "api-keys.json", name, scopes, token)
        for process in self.processes:
            eventually(lambda at=process: self._knows(at, token), within=10)
        return token

    @staticmethod
    def _knows(process: ServiceProcess, token: str) -> bool:
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.get(f"{process.url}/v1/checkouts/none", headers=headers).status_code != 401


class Client:
    """Asks one process after the other, or all at once."""

    def __init__(self, apis: Apis, http: httpx.AsyncClient) -> None:
        self._http = http
        self._urls = itertools.cycle([process.url for process in apis.processes])

    async def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Ask the next process."""
        return await self._http.request(method, f"{next(self._urls)}{path}", **more)

    async def ask_at_once(
        self, times: int, method: str, path: str, **more: Any
    ) -> list[httpx.Response]:
        """The same request so many times, spread over all processes."""
        return await asyncio.gather(*(self.request(method, path, **more) for _ in range(times)))

    async def opened(self) -> str:
        """The path of a new checkout."""
        created = await self.request("POST", "/v1/checkouts", json={"items": ITEMS})
        assert created.status_code == 201, created.text
        return str(created.headers["location"])

    async def events(self, path: str) -> list[dict[str, Any]]:
        """All that has happened to a checkout."""
        answer = await self.request("GET", f"{path}/events", params={"limit": 1000})
        assert answer.status_code == 200, answer.text
        assert not answer.json()["has_more"]
        return list(answer.json()["data"])

    async def tag(self, path: str) -> str:
        """The ETag that a checkout has now."""
        return str((await self.request("GET", path)).headers["etag"])


@contextmanager
def three_apis(kafka: str, postgres: str, *more: str) -> Iterator[Apis]:
    """Three APIs on these servers, and other services by their names, with a Redis of their own."""
    with cluster_on(Shared(kafka), Shared(postgres)) as made:
        apis = Apis(made, [made.add("api") for _ in range(3)])
        for name in more:
            made.add(name)
        apis.until_ready()
        yield apis


@asynccontextmanager
async def client(apis: Apis, token: str | None = API_KEY) -> AsyncIterator[Client]:
    """Somebody with a key; None: without one."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with httpx.AsyncClient(headers=headers, timeout=30) as http:
        yield Client(apis, http)
