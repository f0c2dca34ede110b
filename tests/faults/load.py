"""A steady load of commands with known ids over both doors, and readers who know what was promised."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Sequence

from tests.eventually import eventually_async
from tests.faults.buyers import Buyer
from tests.faults.cluster import Cluster, ServiceProcess
from tests.faults.doors import PATIENCE, Doors
from tests.faults.ledger import Ledger, items, version_of


class Load:
    """Writers and readers on `checkouts` checkouts, until told to stop."""

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
        self._doors = Doors(cluster, apis, self.ledger, self._random)
        self._buyers = [Buyer(self._doors, self._random) for _ in range(buyers)]
        self._pause = pause
        self._numbers = itertools.count(1)
        self._stopping = asyncio.Event()
        self._names = [f"c{seed}-{number}" for number in range(checkouts)]
        self._carts: list[str] = []

    async def __aenter__(self) -> Load:
        """Begin; return when every checkout is there."""
        await self._doors.open()
        await asyncio.gather(*map(self._create, self._names))
        self._tasks = [
            asyncio.create_task(self._publisher()),
            asyncio.create_task(self._http_writer()),
            asyncio.create_task(self._http_writer()),
            asyncio.create_task(self._reader()),
            asyncio.create_task(self._reader()),
            *(asyncio.create_task(self._buying(buyer)) for buyer in self._buyers),
        ]
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop, after what is in hand is answered."""
        self._stopping.set()
        try:
            results = await asyncio.gather(*self._tasks, return_exceptions=True)
        finally:
            await self._doors.close()
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def _create(self, checkout: str) -> None:
        """Make one of the checkouts that everybody writes, and wait until it can be read."""
        cart = items(next(self._numbers))
        await self._doors.publish("CreateCheckout", checkout, f"create-{checkout}", cart)

        async def is_readable() -> bool:
            response = await self._doors.patiently("GET", f"/v1/checkouts/{checkout}")
            if response is None or response.status_code != 200:
                return False
            self.ledger.promised[checkout] = version_of(response)
            return True

        await eventually_async(is_readable, PATIENCE)

    async def _publisher(self) -> None:
        """Another service: it repeats what Kafka did not acknowledge, with the same identity."""
        while not self._stopping.is_set():
            number = next(self._numbers)
            checkout = self._random.choice(self._names)
            times = 2 if self._random.random() < 0.1 else 1
            for _ in range(times):
                await self._doors.publish("UpdateCheckout", checkout, f"k-{number}", items(number))
            self.ledger.counts["duplicates delivered"] += times - 1
            await asyncio.sleep(self._pause)

    async def _http_writer(self) -> None:
        """A storefront: it repeats an unknown outcome with the same Idempotency-Key."""
        while not self._stopping.is_set():
            number = next(self._numbers)
            key = f"h-{number}"
            if self._random.random() < 0.1:
                cart = await self._doors.write("POST", "/v1/checkouts", key, items(number))
                self._carts += [cart] if cart else []
            else:
                # Mostly those that the publisher writes over Kafka at the same time.
                is_own = self._carts and self._random.random() < 0.2
                checkout = self._random.choice(self._carts if is_own else self._names)
                await self._doors.write("PUT", f"/v1/checkouts/{checkout}", key, items(number))
            await asyncio.sleep(self._pause)

    async def _buying(self, buyer: Buyer) -> None:
        while not self._stopping.is_set():
            await buyer.buy(next(self._numbers))
            await asyncio.sleep(self._pause)

    async def _reader(self) -> None:
        """Anybody: never an older version than one that was promised before, never a 404."""
        while not self._stopping.is_set():
            checkout, promised = self._random.choice([*self.ledger.promised.items()])
            response = await self._doors.patiently("GET", f"/v1/checkouts/{checkout}")
            self.ledger.counts["reads"] += 1
            if response is None or response.status_code != 200:
                told = response.status_code if response else "no answer"
                self.ledger.violations.append(f"GET {checkout}: {told}")
            elif version_of(response) < promised:
                told = f"{response.headers['etag']} after {promised} was promised"
                self.ledger.violations.append(f"GET {checkout}: {told}")
            await asyncio.sleep(self._pause)
