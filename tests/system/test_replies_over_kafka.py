"""Reply topics, expected versions, and the order of commands."""

import asyncio

import pytest
from aiokafka import ConsumerRecord

from tests.system.kafka_records import ONE_ITEM
from tests.system.kafka_user import KafkaUser, header, new_id

TWO = {"items": [{"id": "item_123", "quantity": 2}]}


async def reply_on(kafka: KafkaUser, topic: str, command_id: str) -> ConsumerRecord:
    [record] = await kafka.records(topic, lambda r: header(r, "ce_causationid") == command_id, 1)
    return record


async def create_reply_topic(kafka: KafkaUser) -> str:
    """Create a reply topic. The broker of `checkout dev` creates topics on a metadata request."""
    topic = f"checkout.replies.{new_id()}"
    async with asyncio.timeout(10):
        await kafka.producer.partitions_for(topic)
    return topic


async def test_replies_go_to_the_requested_reply_topic(kafka: KafkaUser):
    topic = await create_reply_topic(kafka)
    accepted = await kafka.publish("CreateCheckout", new_id(), ONE_ITEM, **{"reply-to": topic})
    rejected = await kafka.publish("UpdateCheckout", new_id(), ONE_ITEM, **{"reply-to": topic})

    assert header(await reply_on(kafka, topic, accepted), "ce_type") == "checkout.CommandAccepted"
    assert header(await reply_on(kafka, topic, rejected), "ce_type") == "checkout.CommandRejected"


async def test_a_missing_reply_topic_falls_back_to_the_default_topic(kafka: KafkaUser):
    missing = f"checkout.replies.{new_id()}"

    command_id = await kafka.publish("CreateCheckout", new_id(), ONE_ITEM, **{"reply-to": missing})

    reply = await reply_on(kafka, "checkout.replies", command_id)
    assert header(reply, "ce_type") == "checkout.CommandAccepted"


async def test_a_new_reply_topic_is_used_at_once_after_another_was_missing(
    kafka: KafkaUser,
):
    missing = f"checkout.replies.{new_id()}"
    before = await kafka.publish("CreateCheckout", new_id(), ONE_ITEM, **{"reply-to": missing})
    await reply_on(kafka, "checkout.replies", before)
    topic = await create_reply_topic(kafka)

    command_id = await kafka.publish("CreateCheckout", new_id(), ONE_ITEM, **{"reply-to": topic})

    assert await reply_on(kafka, topic, command_id)


async def test_the_default_reply_topic_may_be_requested_by_name(kafka: KafkaUser):
    reply = await kafka.request(
        "CreateCheckout", new_id(), ONE_ITEM, **{"reply-to": "checkout.replies"}
    )

    assert reply["version"] == 3


async def test_an_update_that_expects_the_current_version_is_accepted(kafka: KafkaUser):
    checkout_id = new_id()
    created = await kafka.request("CreateCheckout", checkout_id, ONE_ITEM)

    expected = str(created["version"])
    updated = await kafka.request("UpdateCheckout", checkout_id, TWO, ce_expectedversion=expected)

    assert updated["version"] > created["version"]


@pytest.mark.parametrize("expected", ["1", "4", "999999999999999999"])
@pytest.mark.parametrize("command_type", ["UpdateCheckout", "CancelCheckout"])
async def test_a_command_that_expects_another_version_is_rejected(
    kafka: KafkaUser, command_type: str, expected: str
):
    checkout_id = new_id()
    body = TWO if command_type == "UpdateCheckout" else None
    await kafka.request("CreateCheckout", checkout_id, ONE_ITEM)

    rejected = await kafka.request(command_type, checkout_id, body, ce_expectedversion=expected)
    after = await kafka.request("UpdateCheckout", checkout_id, ONE_ITEM)

    assert rejected["error"]["code"] == "version_mismatch"
    assert rejected["error"]["type"] == "invalid_request"
    assert after["version"] == 3


async def test_commands_for_one_checkout_are_handled_in_order(kafka: KafkaUser):
    checkout_id = new_id()
    sent = [await kafka.publish("CreateCheckout", checkout_id, ONE_ITEM)]
    sent += [
        await kafka.publish(
            "UpdateCheckout", checkout_id, {"items": [{"id": "item_456", "quantity": n}]}
        )
        for n in (4, 5, 6)
    ]
    sent.append(await kafka.publish("CancelCheckout", checkout_id, {}))
    sent.append(await kafka.publish("UpdateCheckout", checkout_id, TWO))

    replies = [(await kafka.replies_to(command_id))[0] for command_id in sent]

    versions = [reply["version"] for reply in replies[:-1]]
    assert versions == sorted(set(versions))
    assert replies[-1]["error"]["code"] == "checkout_closed"
    assert replies[-2]["checkout"]["line_items"][0]["item"]["quantity"] == 6
