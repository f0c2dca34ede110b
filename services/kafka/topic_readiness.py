"""Checks the topics before a service starts."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable

from services.kafka.connection import KafkaConnection
from services.kafka.publisher import KafkaUnavailable
from services.kafka.topic_admin import check_topics
from services.runtime.backoff import pauses

logger = logging.getLogger(__name__)

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 5.0


class TopicReadiness:
    """Waits for Kafka, and rejects topics that a service can't work with."""

    def __init__(self, connection: KafkaConnection, topics: Iterable[str]) -> None:
        self._connection = connection
        self._topics = tuple(topics)
        self.failure: str | None = "the topics have not been checked yet"

    async def pass_before(self, stop_requested: asyncio.Event) -> bool:
        """Whether the topics are fine; False if a stop was requested first. Raises `WrongTopic`."""
        passing = asyncio.create_task(self._until_passed())
        stopping = asyncio.create_task(stop_requested.wait())
        try:
            await asyncio.wait((passing, stopping), return_when=asyncio.FIRST_COMPLETED)
            if passing.done():
                await passing
            return passing.done()
        finally:
            for task in (passing, stopping):
                task.cancel()

    async def _until_passed(self) -> None:
        for pause in pauses(_FIRST_PAUSE, _LONGEST_PAUSE):
            try:
                await check_topics(self._connection, self._topics)
            except KafkaUnavailable as error:
                self.failure = f"Kafka can't be asked for the topics: {error}"
                logger.warning("%s; trying again in %.1f s", self.failure, pause)
            else:
                self.failure = None
                return
            await asyncio.sleep(pause)
