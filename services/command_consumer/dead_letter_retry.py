"""From a dead letter back to the command, as it came, and with what it may take for granted."""

from __future__ import annotations

import json
import logging
from collections import OrderedDict
from dataclasses import dataclass

from domain.rejection import Rejection
from services.command_consumer.command_decoding import DecodedCommand, read
from services.command_consumer.dead_letters import DeadLetter
from services.command_consumer.received_cloud_event import ReceivedCloudEvent
from services.command_handling import CommandEnvelope
from services.kafka.producer_record import ProducerRecord
from services.kafka.topics import Topics
from services.messages.command_client import CommandIdentity, Reply
from services.messages.dead_letters import DeadLetterReason
from services.messages.strict_json import parse_json

logger = logging.getLogger(__name__)

_REMEMBERED = 10_000


class CannotRetry(Exception):
    """Why a dead letter can't be published again."""


@dataclass(frozen=True, slots=True)
class Retry:
    """A command to publish again, and where its reply goes.

    `claim` is the version that it expects because its checkout was at it when it failed.
    """

    message: ProducerRecord
    envelope: CommandEnvelope
    reply_to: str
    claim: int | None

    @property
    def identity(self) -> CommandIdentity:
        """What a reply to it names."""
        return CommandIdentity(self.envelope.source, self.envelope.command_id)


class Retries:
    """Makes commands of dead letters, one after another.

    A checkout that stood still since has not moved on because an earlier retry moved it: the next one
    that failed at the same version expects the version which that one led to.
    """

    def __init__(self, topics: Topics, *, anyway: bool = False) -> None:
        self._topics = topics
        self._anyway = anyway
        self._led_to: OrderedDict[tuple[str, int], int] = OrderedDict()

    def retry(self, letter: DeadLetter) -> Retry:
        """The command in a dead letter. Raises `CannotRetry`."""
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
        """Take note of what a retry led to."""
        if retry.claim is None or not reply.is_accepted:
            return
        self._led_to[retry.envelope.checkout_id, retry.claim] = int(reply.data["version"])
        if len(self._led_to) > _REMEMBERED:
            self._led_to.popitem(last=False)

    def _command(self, letter: DeadLetter) -> DecodedCommand:
        if "reason" not in letter.facts:
            raise CannotRetry("it is no dead letter of this service: it has no dl_reason")
        if "truncated" in letter.facts:
            raise CannotRetry("it was cut to fit (dl_truncated), so that the whole is not here")
        if letter.facts["reason"] == DeadLetterReason.UNDECODABLE_HEADER_NAME:
            raise CannotRetry("the name of a header was not UTF-8, and is here in another spelling")
        try:
            found = read(letter.original, self._topics)
        except Exception:
            logger.debug("dead letter %s", letter.place, exc_info=True)
            raise CannotRetry("this version's own code still fails on reading it") from None
        if not isinstance(found, DecodedCommand):
            raise CannotRetry(f"it would only be put aside again: {found.reason}")
        return found

    def _claim(self, letter: DeadLetter) -> int:
        if letter.checkout_version is None:
            raise CannotRetry(
                "it doesn't tell which version its checkout was at (dl_checkout_version); "
                "--anyway publishes it without"
            )
        return letter.checkout_version


def _expecting(value: bytes | None, version: int) -> bytes:
    """A structured event with the version it expects. Its values stay, so it is the same command."""
    try:
        event = parse_json(value or b"")
    except Rejection:
        event = None
    if not isinstance(event, dict):
        raise CannotRetry(
            "no expected version can be put into an event that is no strict JSON; "
            "--anyway publishes it without, to be refused for that"
        )
    event["expectedversion"] = version
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
