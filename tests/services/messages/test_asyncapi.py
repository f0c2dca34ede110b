"""The AsyncAPI document is whole, and made of the commands and events there are."""

import re
from typing import ClassVar

import pytest
from jsonschema import Draft202012Validator

from domain.commands import COMMANDS
from domain.events import PUBLISHED_EVENTS, EventBase
from domain.values import Text
from services.kafka.topics import Topics
from services.messages.asyncapi import asyncapi_document, asyncapi_page
from tests.services.served_documents import faults, follow, parts, resolve

DOCUMENT = asyncapi_document(Topics())
MESSAGES = DOCUMENT["components"]["messages"]
REPLIES = {"CommandAccepted", "CommandRejected"}
CHANNELS = {
    "commands": set(COMMANDS),
    "events": {event.NAME for event in PUBLISHED_EVENTS.values()},
    "replies": REPLIES,
    "dead-letters": {"DeadLetter"},
}
EVENT_KEYS = {
    event.NAME if event.SCHEMA_VERSION == 1 else f"{event.NAME}.{event.SCHEMA_VERSION}"
    for event in PUBLISHED_EVENTS.values()
}


class GiftWrapped(EventBase):
    """The lines were wrapped.

    Nobody looks inside.
    """

    NAME: ClassVar[str] = "GiftWrapped"

    paper: Text


def test_the_document_is_asyncapi_3_without_a_dangling_reference():
    assert DOCUMENT["asyncapi"] == "3.0.0"
    assert {"title", "version"} <= DOCUMENT["info"].keys()
    for part in parts(DOCUMENT):
        if "$ref" in part:
            resolve(DOCUMENT, part["$ref"])


@pytest.mark.parametrize("name", CHANNELS)
def test_a_channel_lists_all_its_messages(name):
    channel = DOCUMENT["channels"][name]

    assert set(channel["messages"]) == (EVENT_KEYS if name == "events" else CHANNELS[name])
    assert channel["address"] == f"checkout.{name}"


def test_the_addresses_are_the_settings():
    topics = Topics(prefix="shop-7.")
    document = asyncapi_document(topics)

    assert [it["address"] for it in document["channels"].values()] == list(topics.all)
    assert "checkout.commands" not in asyncapi_page(document)
    headers = document["components"]["messages"]["CancelCheckout"]["headers"]
    pattern = headers["properties"]["reply-to"]["pattern"]
    assert re.search(pattern, "shop-7.replies.till")
    assert not re.search(pattern, "shop-7xreplies")
    assert not re.search(pattern, "checkout.replies")


@pytest.mark.parametrize(
    ("name", "action", "channel"),
    [
        ("receiveCommand", "receive", "commands"),
        ("sendEvent", "send", "events"),
        ("sendReply", "send", "replies"),
        ("sendDeadLetter", "send", "dead-letters"),
    ],
)
def test_an_operation_is_described_from_the_side_of_the_service(name, action, channel):
    operation = DOCUMENT["operations"][name]

    assert operation["action"] == action
    assert operation["channel"] == {"$ref": f"#/channels/{channel}"}
    titles = [follow(DOCUMENT, message)["title"] for message in operation["messages"]]
    assert set(titles) == CHANNELS[channel]


def test_a_command_is_answered_by_a_reply():
    reply = DOCUMENT["operations"]["receiveCommand"]["reply"]

    assert reply["channel"] == {"$ref": "#/channels/replies"}
    assert {follow(DOCUMENT, message)["title"] for message in reply["messages"]} == REPLIES


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_has_a_name_a_key_schemas_and_a_valid_example(name):
    message = MESSAGES[name]

    assert message["name"] in (f"checkout.{name.partition('.')[0]}", "DeadLetter")
    assert message["contentType"]
    assert message["bindings"]["kafka"]["key"]
    Draft202012Validator.check_schema(follow(DOCUMENT, message["payload"]))
    [example] = message["examples"]
    assert faults(DOCUMENT, message["headers"], example["headers"]) == []
    assert faults(DOCUMENT, message["payload"], example["payload"]) == []


@pytest.mark.parametrize("name", sorted(EVENT_KEYS | REPLIES))
def test_what_is_sent_has_no_undocumented_header(name):
    headers, [example] = MESSAGES[name]["headers"], MESSAGES[name]["examples"]

    assert example["headers"].keys() <= headers["properties"].keys()
    assert set(headers["required"]) == set(headers["properties"]) - {"traceparent"}


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize(
    "header", ["ce_specversion", "ce_type", "ce_source", "ce_id", "ce_subject"]
)
def test_a_command_needs_what_identifies_it_and_no_more(name, header):
    headers, [example] = MESSAGES[name]["headers"], MESSAGES[name]["examples"]
    without = {key: value for key, value in example["headers"].items() if key != header}
    least = {key: example["headers"][key] for key in headers["required"]}

    assert faults(DOCUMENT, headers, without)
    assert faults(DOCUMENT, headers, least) == []
    assert len(least) == 5


def test_a_new_event_and_a_new_version_of_one_appear_without_further_code(monkeypatch):
    wrapped_again = type("GiftWrappedTwice", (GiftWrapped,), {"SCHEMA_VERSION": 2})
    monkeypatch.setitem(PUBLISHED_EVENTS, GiftWrapped.topic(), GiftWrapped)
    monkeypatch.setitem(PUBLISHED_EVENTS, wrapped_again.topic(), wrapped_again)

    document = asyncapi_document(Topics())

    listed = document["channels"]["events"]["messages"]
    first, second = (follow(document, listed[key]) for key in ("GiftWrapped", "GiftWrapped.2"))
    assert first["summary"] == "The lines were wrapped."
    assert first["headers"]["properties"]["ce_dataschema"]["const"] == "urn:checkout:GiftWrapped:1"
    assert second["headers"]["properties"]["ce_dataschema"]["const"] == "urn:checkout:GiftWrapped:2"
    assert follow(document, first["payload"])["required"] == ["paper"]
    assert "schema-GiftWrapped" in asyncapi_page(document)
