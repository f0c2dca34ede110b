"""A process that asks the test provider for the same charge many times at once: FILE TIMES TOKEN."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from services.payments.practice_provider import PracticeProvider
from tests.services.payments.given import a_charge


async def main(path: str, times: str, token: str) -> None:
    provider = PracticeProvider(Path(path))
    asks = [provider.charge(a_charge(token)) for _ in range(int(times))]
    said = await asyncio.gather(*asks, return_exceptions=True)
    sys.stdout.write(json.dumps([repr(one) for one in said]))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
