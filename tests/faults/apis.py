"""Three API processes on one event store and one Redis, and a client that spreads requests over them."""

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
from tests.faults.cluster import API_KEY, Cluster, ServiceProcess, SharedServer, cluster_on

ITEMS = [{"id": "item_123", "quantity": 2}]


@dataclass
class Apis:
    """The API processes and their cluster."""

    cluster: Cluster
    processes: Sequence[ServiceProcess]

    def kill(self) -> None:
        """Send SIGKILL to all API processes."""
        for process in self.processes:
            process.kill()

    def start(self) -> None:
        """Start all API processes again and wait until they are ready."""
        for process in self.processes:
            process.start()
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        """Wait until all services of the cluster are ready."""
        for service in self.cluster.services:
            eventually(service.is_ready, within=60)

    def create_api_key(self, name: str, *scopes: Scope) -> str:
        """Create an API key and wait until every process accepts it; returns its token."""
        token = f"the token of {name}"
        create_key(self.cluster.folder / "api-keys.json", name, scopes, token)
        for process in self.processes:
            eventually(lambda at=process: self._accepts(at, token), within=10)
        return token

    @staticmethod
    def _accepts(process: ServiceProcess, token: str) -> bool:
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.get(f"{process.url}/v1/checkouts/none", headers=headers).status_code != 401


class Client:
    """Sends requests to the processes in turn, or to all concurrently."""

    def __init__(self, apis: Apis, http: httpx.AsyncClient) -> None:
        self._http = http
        self._urls = itertools.cycle([process.url for process in apis.processes])

    async def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Send a request to the next process."""
        return await self._http.request(method, f"{next(self._urls)}{path}", **more)

    async def request_concurrently(
        self, times: int, method: str, path: str, **more: Any
    ) -> list[httpx.Response]:
        """Send the same request `times` times concurrently, spread over all processes."""
        return await asyncio.gather(*(self.request(method, path, **more) for _ in range(times)))

    async def create_checkout(self) -> str:
        """Create a checkout; returns its path."""
        created = await self.request("POST", "/v1/checkouts", json={"items": ITEMS})
        assert created.status_code == 201, created.text
        return str(created.headers["location"])

    async def events(self, path: str) -> list[dict[str, Any]]:
        """All events of a checkout."""
        answer = await self.request("GET", f"{path}/events", params={"limit": 1000})
        assert answer.status_code == 200, answer.text
        assert not answer.json()["has_more"]
        return list(answer.json()["data"])

    async def etag(self, path: str) -> str:
        """The current ETag of a checkout."""
        return str((await self.request("GET", path)).headers["etag"])


@contextmanager
def three_apis(kafka: str, postgres: str, *more: str) -> Iterator[Apis]:
    """Three API processes and the named services, on these servers and a new Redis."""
    with cluster_on(SharedServer(kafka), SharedServer(postgres)) as cluster:
        apis = Apis(cluster, [cluster.add("api") for _ in range(3)])
        for name in more:
            cluster.add(name)
        apis.wait_until_ready()
        yield apis


@asynccontextmanager
async def api_client(apis: Apis, token: str | None = API_KEY) -> AsyncIterator[Client]:
    """A client with this API key, or without a key if None."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with httpx.AsyncClient(headers=headers, timeout=30) as http:
        yield Client(apis, http)
