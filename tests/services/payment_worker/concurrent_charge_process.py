"""A process that asks the test provider for the same charges many times at once, when it gets a line.

FILE TIMES TOKEN ATTEMPT…: it prints a line when it is ready, and then what each ask was answered.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from services.payment_worker.providers.test.gateway import FakeGateway
from tests.services.payment_worker.given import a_charge


async def main(path: str, times: str, token: str, *attempts: str) -> None:
    provider = FakeGateway(Path(path))
    charges = [a_charge(token, attempt_id=attempt) for attempt in attempts]
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.readline)
    asks = [provider.charge(charge) for charge in charges for _ in range(int(times))]
    said = await asyncio.gather(*asks, return_exceptions=True)
    sys.stdout.write(json.dumps([repr(one) for one in said]))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
