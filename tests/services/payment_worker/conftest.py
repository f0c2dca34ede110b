from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from services.event_store import EventStore, open_store
from services.payment_worker.providers.stripe.gateway import StripeGateway
from tests.services.payment_worker.stripe_stand_in import StripeStandIn, stripe_standing_in


@pytest.fixture
async def standing_in() -> AsyncIterator[tuple[StripeStandIn, StripeGateway]]:
    async with stripe_standing_in() as both:
        yield both


@pytest.fixture
def stripe(standing_in: tuple[StripeStandIn, StripeGateway]) -> StripeStandIn:
    return standing_in[0]


@pytest.fixture
def provider(standing_in: tuple[StripeStandIn, StripeGateway]) -> StripeGateway:
    return standing_in[1]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EventStore]:
    opened = open_store(f"sqlite:///{tmp_path / 'events.db'}")
    yield opened
    opened.close()
