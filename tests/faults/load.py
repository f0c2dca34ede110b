"""A steady load: commands with known ids over both channels, and readers that check what was promised."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Sequence

from tests.eventually import eventually_async
from tests.faults.buyers import Buyer
from tests.faults.channels import RETRY_SECONDS, Channels
from tests.faults.cluster import Cluster, ServiceProcess
from tests.faults.ledger import Ledger, seen_in, unique_items
from tests.faults.readers import Reader


class Load:
    """Concurrent writers and readers on `checkouts` checkouts, running inside the `async with` block."""

    def __init__(
        self,
        cluster: Cluster,
        apis: Sequence[ServiceProcess],
        seed: int = 0,
        checkouts: int = 20,
        pause: float = 0.02,
        buyers: int = 0,
    ) -> None:
        self.ledger = Ledger()
        self._random = random.Random(seed)
        self._channels = Channels(cluster, apis, self.ledger, self._random)
        self._buyers = [Buyer(self._channels, self._random) for _ in range(buyers)]
        self._readers = [Reader(self._channels, self._random) for _ in range(2)]
        self._pause = pause
        self._numbers = itertools.count(1)
        self._stopping = asyncio.Event()
        self._names = [f"c{seed}-{number}" for number in range(checkouts)]
        self._carts: list[str] = []

    async def __aenter__(self) -> Load:
        """Create the checkouts, wait until each can be read, and start the load."""
        await self._channels.open()
        await asyncio.gather(*map(self._create, self._names))
        self._tasks = [
            asyncio.create_task(self._publisher()),
            asyncio.create_task(self._http_writer()),
            asyncio.create_task(self._http_writer()),
            *(asyncio.create_task(self._read_repeatedly(reader)) for reader in self._readers),
            *(asyncio.create_task(self._buy_repeatedly(buyer)) for buyer in self._buyers),
        ]
        return self

    async def __aexit__(self, failed: type[BaseException] | None, *_: object) -> None:
        """Stop after the requests in flight are answered; at once if the test has failed.

        After a failure a server may still be down, for which a writer would wait without end.
        """
        self._stopping.set()
        if failed:
            for task in self._tasks:
                task.cancel()
        try:
            results = await asyncio.gather(*self._tasks, return_exceptions=True)
        finally:
            await self._channels.close()
        for result in results:
            if isinstance(result, BaseException) and not failed:
                raise result

    async def _create(self, checkout: str) -> None:
        """Create one of the shared checkouts and wait until it can be read."""
        cart = unique_items(next(self._numbers))
        await self._channels.publish("CreateCheckout", checkout, f"create-{checkout}", cart)

        async def is_readable() -> bool:
            response = await self._channels.request_until_final("GET", f"/v1/checkouts/{checkout}")
            if response is None or response.status_code != 200:
                return False
            self.ledger.record_promise(checkout, seen_in(response))
            return True

        await eventually_async(is_readable, RETRY_SECONDS)

    async def _publisher(self) -> None:
        """A service that repeats what Kafka did not acknowledge, with the same identity."""
        while not self._stopping.is_set():
            number = next(self._numbers)
            checkout = self._random.choice(self._names)
            times = 2 if self._random.random() < 0.1 else 1
            for _ in range(times):
                await self._channels.publish(
                    "UpdateCheckout", checkout, f"k-{number}", unique_items(number)
                )
            self.ledger.counts["duplicates delivered"] += times - 1
            await asyncio.sleep(self._pause)

    async def _http_writer(self) -> None:
        """A storefront that repeats an unknown outcome with the same Idempotency-Key."""
        while not self._stopping.is_set():
            number = next(self._numbers)
            key = f"h-{number}"
            if self._random.random() < 0.1:
                cart = await self._channels.write(
                    "POST", "/v1/checkouts", key, unique_items(number)
                )
                self._carts += [cart] if cart else []
            else:
                # Mostly the checkouts that the publisher writes over Kafka at the same time.
                use_own_cart = self._carts and self._random.random() < 0.2
                checkout = self._random.choice(self._carts if use_own_cart else self._names)
                await self._channels.write(
                    "PUT", f"/v1/checkouts/{checkout}", key, unique_items(number)
                )
            await asyncio.sleep(self._pause)

    async def _buy_repeatedly(self, buyer: Buyer) -> None:
        while not self._stopping.is_set():
            await buyer.buy(next(self._numbers))
            await asyncio.sleep(self._pause)

    async def _read_repeatedly(self, reader: Reader) -> None:
        while not self._stopping.is_set():
            await reader.read()
            await asyncio.sleep(self._pause)
