"""Simulated readers: they read checkouts and record each answer that takes back an earlier one."""

from __future__ import annotations

import random
from collections import defaultdict

from tests.faults.channels import Channels
from tests.faults.ledger import seen_in


class Reader:
    """One reader, who goes from one API process to another.

    He must never see a 404, nor, within an epoch of the store, a version older than one promised or shown
    to him before.
    """

    def __init__(self, channels: Channels, random_source: random.Random) -> None:
        self._channels = channels
        self._random = random_source
        self._shown: defaultdict[tuple[str, int], int] = defaultdict(int)

    async def read(self) -> None:
        """Read one of the checkouts that exist."""
        ledger = self._channels.ledger
        checkout, promised = self._random.choice([*ledger.promised.items()])
        response = await self._channels.request_until_final("GET", f"/v1/checkouts/{checkout}")
        ledger.counts["reads"] += 1
        if response is not None and response.status_code == 404:
            ledger.absent.add(checkout)
            return
        if response is None or response.status_code != 200:
            found = response.status_code if response else "no answer"
            ledger.record_violation(f"GET {checkout}: {found}")
            return
        epoch, version = seen_in(response)
        shown = self._shown[checkout, epoch]
        if version < shown:
            ledger.record_violation(
                f"GET {checkout}: version {version} after this reader saw {shown}"
            )
        elif (epoch, version) < promised:
            ledger.record_violation(
                f"GET {checkout}: version {_words(epoch, version)} after {_words(*promised)} was promised"
            )
        self._shown[checkout, epoch] = max(shown, version)


def _words(epoch: int, version: int) -> str:
    return f"{version} of epoch {epoch}" if epoch else str(version)
