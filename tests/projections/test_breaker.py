"""A Redis that fails is left alone for a while."""

import asyncio

import pytest

from projections.redis import circuit_breaker
from projections.redis.circuit_breaker import CircuitBreaker
from tests.eventually import eventually


async def test_what_takes_too_long_is_ended_and_opens_it_for_a_while(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(circuit_breaker, "BOUND_SECONDS", 0.01)
    monkeypatch.setattr(circuit_breaker, "PAUSE_SECONDS", 0.05)
    circuit = CircuitBreaker()

    with pytest.raises(TimeoutError):
        async with circuit.attempt():
            await asyncio.sleep(60)

    assert circuit.is_open
    eventually(lambda: not circuit.is_open)


async def test_a_failure_opens_it_and_is_the_callers_to_judge():
    circuit = CircuitBreaker()

    with pytest.raises(ConnectionError):
        async with circuit.attempt():
            raise ConnectionError

    assert circuit.is_open


async def test_an_error_that_is_not_of_redis_leaves_it_closed():
    circuit = CircuitBreaker()

    with pytest.raises(KeyError):
        async with circuit.attempt():
            raise KeyError

    assert not circuit.is_open


async def test_what_succeeds_leaves_it_closed():
    circuit = CircuitBreaker()

    async with circuit.attempt():
        await asyncio.sleep(0)

    assert not circuit.is_open
