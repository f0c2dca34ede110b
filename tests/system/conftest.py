"""One `checkout dev` process shared by all tests that do not stop it."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from tests.system.dev_process import DevProcess
from tests.system.kafka_user import KafkaUser, kafka_user


@pytest.fixture(scope="session")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevProcess]:
    process = DevProcess.start(tmp_path_factory.mktemp("dev"))
    try:
        yield process
    finally:
        assert process.stop() == 0


@pytest.fixture
async def http(dev: DevProcess) -> AsyncIterator[httpx.AsyncClient]:
    async with dev.client() as client:
        yield client


@pytest.fixture
async def kafka(dev: DevProcess) -> AsyncIterator[KafkaUser]:
    async with kafka_user(dev.kafka) as user:
        yield user
