from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from services.payments.stripe_provider import StripeProvider
from services.store import EventStore, open_store
from tests.services.payments.stripe_stand_in import StripeStandIn, stripe_standing_in


@pytest.fixture
async def standing_in() -> AsyncIterator[tuple[StripeStandIn, StripeProvider]]:
    async with stripe_standing_in() as both:
        yield both


@pytest.fixture
def stripe(standing_in: tuple[StripeStandIn, StripeProvider]) -> StripeStandIn:
    return standing_in[0]


@pytest.fixture
def provider(standing_in: tuple[StripeStandIn, StripeProvider]) -> StripeProvider:
    return standing_in[1]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EventStore]:
    opened = open_store(f"sqlite:///{tmp_path / 'events.db'}")
    yield opened
    opened.close()
