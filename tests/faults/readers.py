"""Simulated readers: they read checkouts and record each answer that takes back an earlier one."""

from __future__ import annotations

import random
from collections import defaultdict

from tests.faults.channels import Channels
from tests.faults.ledger import version_of


class Reader:
    """One reader, who must never see a 404, or a version older than one promised or shown to him before."""

    def __init__(self, channels: Channels, random_source: random.Random) -> None:
        self._channels = channels
        self._random = random_source
        self._shown: defaultdict[str, int] = defaultdict(int)

    async def read(self) -> None:
        """Read one of the checkouts that exist."""
        ledger = self._channels.ledger
        checkout, promised = self._random.choice([*ledger.promised.items()])
        shown = self._shown[checkout]
        response = await self._channels.request_until_final("GET", f"/v1/checkouts/{checkout}")
        ledger.counts["reads"] += 1
        if response is None or response.status_code != 200:
            found = response.status_code if response else "no answer"
            ledger.violations.append(f"GET {checkout}: {found}")
            return
        version = version_of(response)
        if version < shown:
            ledger.violations.append(
                f"GET {checkout}: version {version} after this reader saw {shown}"
            )
        elif version < promised:
            ledger.violations.append(
                f"GET {checkout}: version {version} after {promised} was promised"
            )
        self._shown[checkout] = max(shown, version)
