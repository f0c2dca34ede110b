"""Retries dead letters: each becomes the command that it was, is published, and its reply awaited."""

from __future__ import annotations

import json
import logging
from collections import OrderedDict
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer

from domain.rejection import Rejection
from services.command_consumer.command_decoding import DecodedCommand, decode_command
from services.command_consumer.dead_letter_codec import DeadLetter
from services.command_consumer.received_cloud_event import ReceivedCloudEvent
from services.command_handling import CommandEnvelope
from services.kafka.connection import KafkaConnection
from services.kafka.producer_record import ProducerRecord
from services.kafka.topics import Topics
from services.messages.command_client import CommandClient, CommandIdentity, NoReply, Reply
from services.messages.dead_letters import DeadLetterReason
from services.messages.strict_json import parse_json

logger = logging.getLogger(__name__)

_REMEMBERED = 10_000


class CannotRetry(Exception):
    """Why a dead letter can't be retried."""


@dataclass(frozen=True, slots=True)
class Retry:
    """A command to publish again, and the topic of its reply.

    `claim` is the version that the command expects: its checkout's when the command failed.
    """

    message: ProducerRecord
    envelope: CommandEnvelope
    reply_to: str
    claim: int | None

    @property
    def identity(self) -> CommandIdentity:
        """The identity that a reply to it names."""
        return CommandIdentity(self.envelope.source, self.envelope.command_id)


class RetryPlanner:
    """Prepares retries one after another.

    The first retry moves its checkout on. Another command that failed at the same version then
    expects the version that the first retry led to.
    """

    def __init__(self, topics: Topics, *, anyway: bool = False) -> None:
        self._topics = topics
        self._anyway = anyway
        self._led_to: OrderedDict[tuple[str, int], int] = OrderedDict()

    def plan(self, letter: DeadLetter) -> Retry:
        """The command to publish. Raises `CannotRetry`."""
        incoming = self._command(letter)
        original, claim = letter.original, None
        headers, value = list(original.headers), original.value
        cloud_event = ReceivedCloudEvent.of(original)
        if not self._anyway and "expectedversion" not in cloud_event.attributes:
            claim = self._claim(letter)
            reached = self._led_to.get((incoming.envelope.checkout_id, claim), claim)
            if cloud_event.is_structured:
                value = _expecting(value, reached)
            else:
                headers.append(("ce_expectedversion", str(reached).encode()))
        message = ProducerRecord(self._topics.commands, original.key, value, headers)
        return Retry(message, incoming.envelope, incoming.reply_to, claim)

    def replied(self, retry: Retry, reply: Reply) -> None:
        """Remember the version that a retry led to."""
        if retry.claim is None or not reply.is_accepted:
            return
        self._led_to[retry.envelope.checkout_id, retry.claim] = int(reply.data["version"])
        if len(self._led_to) > _REMEMBERED:
            self._led_to.popitem(last=False)

    def _command(self, letter: DeadLetter) -> DecodedCommand:
        if "reason" not in letter.facts:
            raise CannotRetry("it is no dead letter of this service: it has no dl_reason")
        if "truncated" in letter.facts:
            raise CannotRetry("it was cut to fit (dl_truncated), so the whole message is not here")
        if letter.facts["reason"] == DeadLetterReason.UNDECODABLE_HEADER_NAME:
            raise CannotRetry("the name of a header was not UTF-8, and was changed to be stored")
        try:
            found = decode_command(letter.original, self._topics)
        except Exception:
            logger.debug("dead letter %s", letter.place, exc_info=True)
            raise CannotRetry("this version of the service still fails to read it") from None
        if not isinstance(found, DecodedCommand):
            raise CannotRetry(f"it would only be put aside again: {found.reason}")
        return found

    def _claim(self, letter: DeadLetter) -> int:
        if letter.checkout_version is None:
            raise CannotRetry(
                "it has no checkout version to expect (dl_checkout_version); "
                "--anyway publishes it without"
            )
        return letter.checkout_version


def _expecting(value: bytes | None, version: int) -> bytes:
    """A structured event with the version it expects. Its other values stay, so it is the same command."""
    try:
        event = parse_json(value or b"")
    except Rejection:
        event = None
    if not isinstance(event, dict):
        raise CannotRetry(
            "no expected version can be added to an event that is no strict JSON; "
            "--anyway publishes it without, and it is rejected"
        )
    event["expectedversion"] = version
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()


Letters = AsyncGenerator[tuple[str, DeadLetter | None], None]
"""Places, each with the dead letter there, if there is one."""


@dataclass(frozen=True, slots=True)
class RetryResult:
    """The outcome for one dead letter: a reply, or why it was not published."""

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
        result: dict[str, Any] = {"dead_letter": self.place}
        if self.reply is None:
            return result | {"error": self.why_not}
        return result | {"type": self.reply.type, "data": self.reply.data}

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


class RetryRun:
    """Publishes dead letters and waits `wait` seconds for each reply.

    Raises `NoReply` and `KafkaUnavailable`, and leaves the rest untouched then.
    """

    def __init__(
        self, connection: KafkaConnection, topics: Topics, *, wait: float, anyway: bool
    ) -> None:
        self._topics = topics
        self._wait = wait
        self._client = CommandClient(connection, topics)
        self._planner = RetryPlanner(topics, anyway=anyway)
        self._following: dict[str, AIOKafkaConsumer] = {}

    async def retry(self, letters: Letters) -> AsyncGenerator[RetryResult, None]:
        """Retry dead letters in their order, and yield the result for each."""
        async with AsyncExitStack() as stack, self._client:
            async for place, letter in letters:
                if letter is None:
                    yield RetryResult(place, why_not="there is no dead letter")
                    continue
                try:
                    retry = self._planner.plan(letter)
                except CannotRetry as error:
                    yield RetryResult(place, why_not=str(error))
                    continue
                try:
                    reply = await self._ask(retry, stack)
                except NoReply as error:
                    raise NoReply(f"{place} was published, but {error}") from None
                self._planner.replied(retry, reply)
                yield RetryResult(place, retry, reply)

    async def _ask(self, retry: Retry, stack: AsyncExitStack) -> Reply:
        """Publish one. Its reply comes on its own topic, or on the default one if that fails."""
        replies = self._following.get(retry.reply_to)
        if replies is None:
            following = self._client.following(self._topics.replies, retry.reply_to)
            replies = await stack.enter_async_context(following)
            self._following[retry.reply_to] = replies
        return await self._client.ask(retry.message, retry.identity, replies, self._wait)
