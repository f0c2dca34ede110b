"""A publisher's own reply topic serves him as long as it works, and never holds up the others."""

from aiokafka.errors import KafkaConnectionError, TopicAuthorizationFailedError

from services.command_consumer.reply_topics import ReplyTopics

EVERYBODYS = "checkout.replies"
OWN = "checkout.replies.shop"
OTHER = "checkout.replies.other"


class Cluster:
    """Topics that come and go, and how often somebody looked."""

    def __init__(self, *topics: str) -> None:
        self.there = set(topics)
        self.looks = 0

    async def topics(self) -> dict[str, set[int]]:
        self.looks += 1
        return {topic: {0} for topic in self.there}


async def test_a_topic_that_exists_is_used_and_looked_for_once():
    cluster = Cluster(EVERYBODYS, OWN)
    topics = ReplyTopics(EVERYBODYS, cluster)

    for _ in range(3):
        assert await topics.choose({OWN, EVERYBODYS}) == {OWN: OWN, EVERYBODYS: EVERYBODYS}

    assert cluster.looks == 1


async def test_nobody_looks_for_topics_that_nobody_asks_for():
    cluster = Cluster(EVERYBODYS)

    assert await ReplyTopics(EVERYBODYS, cluster).choose({EVERYBODYS}) == {EVERYBODYS: EVERYBODYS}

    assert cluster.looks == 0


async def test_a_missing_topic_falls_back_until_it_is_there():
    cluster = Cluster(EVERYBODYS)
    topics = ReplyTopics(EVERYBODYS, cluster)
    assert await topics.choose({OWN}) == {OWN: EVERYBODYS}

    cluster.there.add(OWN)

    assert await topics.choose({OWN}) == {OWN: OWN}


async def test_a_topic_that_was_deleted_is_missed_within_seconds(monkeypatch):
    cluster = Cluster(EVERYBODYS, OWN)
    topics = ReplyTopics(EVERYBODYS, cluster)
    await topics.choose({OWN})
    cluster.there.remove(OWN)

    monkeypatch.setattr("services.command_consumer.reply_topics._BELIEVED_SECONDS", -1)

    assert await topics.choose({OWN}) == {OWN: EVERYBODYS}


async def test_a_topic_that_takes_no_writes_is_avoided_and_its_neighbour_is_not():
    topics = ReplyTopics(EVERYBODYS, Cluster(EVERYBODYS, OWN, OTHER))
    await topics.choose({OWN})

    topics.failed([OWN], TopicAuthorizationFailedError(OWN))

    assert await topics.choose({OWN, OTHER}) == {OWN: EVERYBODYS, OTHER: OTHER}


async def test_a_topic_that_was_avoided_gets_another_chance(monkeypatch):
    monkeypatch.setattr("services.command_consumer.reply_topics._DISTRUSTED_SECONDS", 0)
    topics = ReplyTopics(EVERYBODYS, Cluster(EVERYBODYS, OWN))

    topics.failed([OWN], TimeoutError())

    assert await topics.choose({OWN}) == {OWN: OWN}


async def test_no_topic_is_blamed_for_a_cluster_that_is_away():
    topics = ReplyTopics(EVERYBODYS, Cluster(EVERYBODYS, OWN))

    topics.failed([OWN], TimeoutError())
    topics.failed([EVERYBODYS], KafkaConnectionError("away"))

    assert await topics.choose({OWN}) == {OWN: OWN}
