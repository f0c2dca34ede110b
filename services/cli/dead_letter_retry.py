"""Dead letters published again one by one, each after the reply to the one before."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer

from services.command_consumer.dead_letter_retry import CannotRetry, Retries, Retry
from services.command_consumer.dead_letters import DeadLetter
from services.kafka.connection import KafkaConnection
from services.kafka.topics import Topics
from services.messages.command_client import CommandClient, NoReply, Reply

Letters = AsyncGenerator[tuple[str, DeadLetter | None], None]
"""Places, each with the dead letter that is there, if one is."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of a dead letter: a reply, or why it was not published."""

    place: str
    retry: Retry | None = None
    reply: Reply | None = None
    why_not: str | None = None

    @property
    def is_accepted(self) -> bool:
        """Whether the command was carried out."""
        return self.reply is not None and self.reply.is_accepted

    def as_json(self) -> dict[str, Any]:
        """For a script."""
        told: dict[str, Any] = {"dead_letter": self.place}
        if self.reply is None:
            return told | {"error": self.why_not}
        return told | {"type": self.reply.type, "data": self.reply.data}

    def line(self) -> str:
        """For a person."""
        if self.reply is None or self.retry is None:
            return f"{self.place}  not published: {self.why_not}"
        data, parts = self.reply.data, [self.place, self.retry.envelope.checkout_id]
        if self.reply.is_accepted:
            parts += [self.reply.type, f"version {data['version']}"]
        else:
            error = data["error"]
            parts += [self.reply.type, f"{error['code']}: {error['message']}"]
        return "  ".join(parts)


class Tries:
    """Publishes dead letters and waits so many seconds for each reply.

    Raises `NoReply` and `KafkaUnavailable`, and leaves the rest untouched then.
    """

    def __init__(
        self, connection: KafkaConnection, topics: Topics, *, wait: float, anyway: bool
    ) -> None:
        self._topics = topics
        self._wait = wait
        self._client = CommandClient(connection, topics)
        self._retries = Retries(topics, anyway=anyway)
        self._following: dict[str, AIOKafkaConsumer] = {}

    async def of(self, letters: Letters) -> AsyncGenerator[Tried, None]:
        """What comes of each of these."""
        async with AsyncExitStack() as stack, self._client:
            async for place, letter in letters:
                if letter is None:
                    yield Tried(place, why_not="there is no dead letter")
                    continue
                try:
                    retry = self._retries.retry(letter)
                except CannotRetry as error:
                    yield Tried(place, why_not=str(error))
                    continue
                try:
                    reply = await self._ask(retry, stack)
                except NoReply as error:
                    raise NoReply(f"{place} was published, but {error}") from None
                self._retries.replied(retry, reply)
                yield Tried(place, retry, reply)

    async def _ask(self, retry: Retry, stack: AsyncExitStack) -> Reply:
        """Publish one. Its reply comes on its own topic, or on everybody's if that one fails."""
        replies = self._following.get(retry.reply_to)
        if replies is None:
            following = self._client.following(self._topics.replies, retry.reply_to)
            replies = await stack.enter_async_context(following)
            self._following[retry.reply_to] = replies
        return await self._client.ask(retry.message, retry.identity, replies, self._wait)
