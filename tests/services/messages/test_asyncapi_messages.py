"""Messages as the service sends them match the AsyncAPI document."""

import json

import pytest
from aiokafka import ConsumerRecord

from domain.commands import COMMANDS
from domain.rejection import Rejection, RejectionCode
from projections.registry import render_view
from services.command_consumer import dead_letter_codec
from services.kafka.topics import Topics
from services.messages.asyncapi import asyncapi_document
from services.messages.dead_letters import DeadLetterReason
from services.messages.event_messages import event_message
from services.messages.replies import RepliedCommand, accepted, rejected
from tests.domain.given import CALIFORNIA, MUG, NOW, after, ask
from tests.services.served_documents import faults

DOCUMENT = asyncapi_document(Topics())
MESSAGES = DOCUMENT["components"]["messages"]


def assert_documented(name, message):
    """A message that the service sends is of the document's schemas, with no other header."""
    documented, headers = MESSAGES[name], {key: value.decode() for key, value in message.headers}
    assert faults(DOCUMENT, documented["headers"], headers) == []
    assert headers.keys() <= documented["headers"]["properties"].keys()
    assert faults(DOCUMENT, documented["payload"], json.loads(message.value)) == []


def command(traceparent):
    return RepliedCommand("c-1", "/till", "c1", "r-1", traceparent)


def test_events_as_sent_match_their_schemas():
    created = ask(None, COMMANDS["CreateCheckout"].parse({"items": MUG}))
    update = COMMANDS["UpdateCheckout"].parse({"fulfillment_address": CALIFORNIA})
    updated = ask(after(None, created), update)

    for recorded in (*created, *updated):
        name = recorded.topic.replace(":", ".").removesuffix(".1")
        assert_documented(name, event_message("checkout.events", recorded))
        payload = recorded.event.model_dump(mode="json") | {"surprise": True}
        assert faults(DOCUMENT, MESSAGES[name]["payload"], payload)


@pytest.mark.parametrize("traceparent", [None, f"00-{'a' * 32}-{'b' * 16}-01"])
def test_an_acceptance_as_it_is_sent_matches_its_schema(traceparent):
    created = after(None, ask(None, COMMANDS["CreateCheckout"].parse({"items": MUG})))

    message = accepted("checkout.replies", command(traceparent), render_view(created), NOW)

    assert_documented("CommandAccepted", message)


@pytest.mark.parametrize("code", RejectionCode)
def test_every_rejection_as_it_is_sent_matches_its_schema(code):
    rejection = Rejection(code, "why", "$.items")

    assert_documented(
        "CommandRejected", rejected("checkout.replies", command(None), rejection, NOW)
    )


@pytest.mark.parametrize("reason", DeadLetterReason)
@pytest.mark.parametrize("size", [10, 2_000_000])
def test_a_dead_letter_as_it_is_sent_matches_its_schema(reason, size):
    value = b"?" * size
    record = ConsumerRecord("checkout.commands", 7, 42, 0, 0, b"c1", value, None, 2, size, ())

    message = dead_letter_codec.encode("checkout.dead-letters", record, reason, NOW)

    documented = MESSAGES["DeadLetter"]["headers"]
    headers = {key: content.decode() for key, content in message.headers}
    assert faults(DOCUMENT, documented, headers) == []
    assert ("dl_truncated" in headers) is (size > 10)
    assert headers.keys() <= documented["properties"].keys()


def test_the_reasons_of_dead_letters_are_the_documented_set():
    reasons = MESSAGES["DeadLetter"]["headers"]["properties"]["dl_reason"]["enum"]

    assert reasons == [reason.value for reason in DeadLetterReason]
