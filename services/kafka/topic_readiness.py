"""A look at the topics before a service begins."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable

from services.kafka.connection import KafkaConnection
from services.kafka.publisher import KafkaUnavailable
from services.kafka.topic_admin import check_topics

logger = logging.getLogger(__name__)

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 5.0


class TopicReadiness:
    """Waits for a Kafka that is away, and refuses topics that a service can't work with."""

    def __init__(self, connection: KafkaConnection, topics: Iterable[str]) -> None:
        self._connection = connection
        self._topics = tuple(topics)
        self.failure: str | None = "Kafka has not been asked for the topics yet"

    async def pass_before(self, told_to_stop: asyncio.Event) -> bool:
        """Whether it was passed; False when the stop came first. Raises `WrongTopic`."""
        passing = asyncio.create_task(self._until_passed())
        stopping = asyncio.create_task(told_to_stop.wait())
        try:
            await asyncio.wait((passing, stopping), return_when=asyncio.FIRST_COMPLETED)
            if passing.done():
                await passing
            return passing.done()
        finally:
            for task in (passing, stopping):
                task.cancel()

    async def _until_passed(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            try:
                await check_topics(self._connection, self._topics)
            except KafkaUnavailable as error:
                self.failure = f"Kafka can't be asked for the topics: {error}"
                logger.warning("%s; trying again in %.1f s", self.failure, pause)
            else:
                self.failure = None
                return
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
