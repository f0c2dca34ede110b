"""A publisher's own reply topic is used while it works, and never holds up other commands."""

import pytest
from aiokafka.errors import KafkaConnectionError, KafkaTimeoutError, TopicAuthorizationFailedError

from services.command_consumer.reply_topics import ReplyTopics

DEFAULT = "checkout.replies"
OWN = "checkout.replies.shop"
OTHER = "checkout.replies.other"


class Cluster:
    """Topics that appear and disappear, and a count of look-ups."""

    def __init__(self, *topics: str) -> None:
        self.there = set(topics)
        self.lookups = 0

    async def topics(self) -> dict[str, set[int]]:
        self.lookups += 1
        return {topic: {0} for topic in self.there}


async def test_a_topic_that_exists_is_used_and_looked_up_once():
    cluster = Cluster(DEFAULT, OWN)
    topics = ReplyTopics(DEFAULT, cluster)

    for _ in range(3):
        assert await topics.choose({OWN, DEFAULT}) == {OWN: (OWN,), DEFAULT: (DEFAULT,)}

    assert cluster.lookups == 1


async def test_no_topics_are_looked_up_for_the_default_topic():
    cluster = Cluster(DEFAULT)

    assert await ReplyTopics(DEFAULT, cluster).choose({DEFAULT}) == {DEFAULT: (DEFAULT,)}

    assert cluster.lookups == 0


async def test_a_missing_topic_falls_back_until_it_is_there():
    cluster = Cluster(DEFAULT)
    topics = ReplyTopics(DEFAULT, cluster)
    assert await topics.choose({OWN}) == {OWN: (DEFAULT,)}

    cluster.there.add(OWN)

    assert await topics.choose({OWN}) == {OWN: (OWN,)}


async def test_a_deleted_topic_is_noticed_within_seconds(monkeypatch):
    cluster = Cluster(DEFAULT, OWN)
    topics = ReplyTopics(DEFAULT, cluster)
    await topics.choose({OWN})
    cluster.there.remove(OWN)

    monkeypatch.setattr("services.command_consumer.reply_topics._BELIEVED_SECONDS", -1)

    assert await topics.choose({OWN}) == {OWN: (DEFAULT,)}


async def test_only_the_topic_that_refuses_writes_is_avoided():
    topics = ReplyTopics(DEFAULT, Cluster(DEFAULT, OWN, OTHER))
    await topics.choose({OWN})

    topics.failed({OWN: TopicAuthorizationFailedError(OWN)}, {OWN, OTHER})

    assert await topics.choose({OWN, OTHER}) == {OWN: (DEFAULT,), OTHER: (OTHER,)}


async def test_an_avoided_topic_is_used_again_later(monkeypatch):
    monkeypatch.setattr("services.command_consumer.reply_topics._AVOIDED_SECONDS", 0)
    topics = ReplyTopics(DEFAULT, Cluster(DEFAULT, OWN))

    topics.failed({OWN: TopicAuthorizationFailedError(OWN)}, {OWN})

    assert await topics.choose({OWN}) == {OWN: (OWN,)}


@pytest.mark.parametrize("error", [TimeoutError(), KafkaTimeoutError(), KafkaConnectionError()])
async def test_a_topic_that_does_not_answer_is_avoided_once_another_answers_and_it_does_not(error):
    topics = ReplyTopics(DEFAULT, Cluster(DEFAULT, OWN))

    topics.failed({OWN: error}, {OWN})
    assert await topics.choose({OWN}) == {OWN: (OWN, DEFAULT)}

    topics.failed({OWN: error}, {OWN, DEFAULT})
    assert await topics.choose({OWN}) == {OWN: (DEFAULT,)}


async def test_no_topic_is_avoided_while_none_answers_and_all_are_used_after_it():
    topics = ReplyTopics(DEFAULT, Cluster(DEFAULT, OWN))

    for _ in range(5):
        topics.failed({OWN: TimeoutError(), DEFAULT: TimeoutError()}, {OWN, DEFAULT})
        assert await topics.choose({OWN}) == {OWN: (OWN, DEFAULT)}

    topics.succeeded()
    assert await topics.choose({OWN, DEFAULT}) == {OWN: (OWN,), DEFAULT: (DEFAULT,)}
