"""After a restore, what Kafka has and the store has not is imported, and a new epoch begins."""

import time
from dataclasses import replace

import pytest

from services.command_handling import Handler, Rejected
from services.event_store import EventStore, WritesStopped
from services.event_store.recorder import LATEST
from services.messages.event_messages import event_message
from services.outbox_relay.preconditions import position_problem
from services.outbox_relay.topic_tail import TopicTail
from tests.services.audit.given import remove
from tests.services.command_handling.given import accepted, create, handler_on, update, versions
from tests.services.event_store.samples import buyer, event, stream
from tests.services.store_restore.given import EventTopic, back_up, restore_backup

FROM_KAFKA = {"actor": "/tests"}


@pytest.fixture
def handler(store: EventStore) -> Handler:
    return handler_on(store)


def rows(store: EventStore) -> dict[tuple[str, int], bytes]:
    """Each stored event, byte for byte."""
    return {
        (row.checkout_id, row.version): bytes(row._stored.state)
        for row in store.stream_rows("", 0, LATEST // 2**40)
    }


async def test_lost_events_are_imported_as_they_were(
    store: EventStore, database: str, handler: Handler, topic: EventTopic
):
    handler.handle([create("a", **FROM_KAFKA)])
    await topic.publish(store)
    back_up(database)
    lost = [update("a", 5, **FROM_KAFKA), create("b", **FROM_KAFKA)]
    first = handler.handle(lost)
    handler.handle([update("b", quantity, **FROM_KAFKA) for quantity in range(2, 9)])
    everything, newest = rows(store), {name: versions(store, name) for name in "ab"}
    await topic.publish(store)

    restore_backup(database)
    assert rows(store) != everything
    report = await topic.report(store)

    assert rows(store) == everything
    assert [(part.checkout_id, part.last) for part in report.imported] == [
        ("a", newest["a"][-1]),
        ("b", newest["b"][-1]),
    ]
    assert not report.differences
    assert report.is_new_epoch
    assert report.epoch == store.lineage().epoch > 0
    assert store.publication.read().position == report.position == store.newest()
    assert position_problem(store.publication.state()) is None

    repeats = handler_on(store).handle(lost)
    assert [accepted(answer).repeated for answer in repeats] == [True, True]
    shown = [replace(accepted(answer).view, epoch=report.epoch) for answer in first]
    assert [accepted(answer).view for answer in repeats] == shown
    assert rows(store) == everything
    assert accepted(handler_on(store).handle([update("a", 6)])[0]).view.version > newest["a"][-1]


async def test_events_that_were_never_published_are_left_for_the_relay(
    store: EventStore, database: str, topic: EventTopic
):
    store.append(stream("a", 1, 3))
    await topic.publish(store)
    published = store.newest()
    store.append(stream("b", 1, 2))
    back_up(database)
    store.append([event("a", 4)])
    await topic.send([event_message(topic.name, event("a", 4))])

    restore_backup(database)
    report = await topic.report(store)
    assert versions(store, "a") == [1, 2, 3, 4]
    assert published <= report.position < store.newest()
    left = [item.recorded for item in store.tail(report.position, 10)]
    assert left == [event("b", 1), event("b", 2), event("a", 4)]


async def test_a_store_that_lost_nothing_begins_an_epoch_unless_that_is_certain(
    store: EventStore, topic: EventTopic
):
    store.append(stream("a", 1, 3))
    await topic.publish(store)
    report = await topic.report(store, is_lossless=True)
    assert (report.events, report.is_new_epoch, store.lineage().epoch) == (0, False, 0)
    report = await topic.report(store)
    assert (report.events, report.is_new_epoch, report.epoch > 0) == (0, True, True)
    assert store.lineage().epoch == report.epoch


async def test_a_backup_that_is_restored_twice_begins_another_epoch_each_time(
    store: EventStore, database: str, topic: EventTopic, monkeypatch: pytest.MonkeyPatch
):
    store.append(stream("a", 1, 3))
    await topic.publish(store)
    back_up(database)
    epochs = []
    for _ in range(3):
        restore_backup(database)
        epochs.append((await topic.report(store)).epoch)
        epochs.append((await topic.report(store)).epoch)
        now = time.time() + 60
        monkeypatch.setattr(time, "time", lambda now=now: now)
    assert epochs == sorted(set(epochs))


async def test_a_lossless_failover_is_not_believed_if_kafka_has_more(
    store: EventStore, topic: EventTopic
):
    store.append(stream("a", 1, 3))
    await topic.publish(store)
    await topic.send([event_message(topic.name, event("a", 4))])
    report = await topic.report(store, is_lossless=True)
    assert (report.events, report.is_new_epoch) == (1, True)


async def test_a_checkout_that_differs_is_reported_and_left_alone(
    store: EventStore, database: str, topic: EventTopic
):
    for name in ("same", "other", "hole", "twice"):
        store.append(stream(name, 1, 2))
    await topic.publish(store)
    more = [event("other", 3), event("other", 4), event("hole", 3), event("hole", 5)]
    twice = [event("twice", 3), event("twice", 3, buyer("someone else"))]
    await topic.send([event_message(topic.name, one) for one in (*more, *twice)])
    store.append([event("other", 3, buyer("written after the restore"))])

    report = await topic.report(store)
    found = {part.checkout_id: (part.version, part.what) for part in report.differences}
    assert found.keys() == {"other", "hole", "twice"}
    assert found["other"][0] == 3
    assert "is another event on" in found["other"][1]
    assert found["hole"] == (4, f"is missing on {topic.name} too, and later ones were not imported")
    assert found["twice"][0] == 3
    assert {name: versions(store, name)[-1] for name in found} == {
        "other": 3,
        "hole": 3,
        "twice": 2,
    }
    assert report.is_new_epoch


async def test_an_event_that_cannot_be_read_ends_the_import_of_its_checkout(
    store: EventStore, topic: EventTopic
):
    store.append(stream("a", 1, 2))
    await topic.publish(store)
    third, fourth = (event_message(topic.name, event("a", version)) for version in (3, 4))
    await topic.send([replace(third, value=b"not JSON"), fourth])
    report = await topic.report(store)
    [difference] = report.differences
    assert (difference.checkout_id, difference.version) == ("a", 3)
    assert "was not imported, nor are later ones" in difference.what
    assert versions(store, "a") == [1, 2]


async def test_no_write_is_taken_until_a_run_has_finished(
    store: EventStore, database: str, handler: Handler, topic: EventTopic
):
    store.append(stream("a", 1, 3))
    await topic.publish(store)
    back_up(database)
    store.append(stream("b", 1, 2))
    await topic.publish(store)
    restore_backup(database)

    run = topic.restored(store)

    def interrupted(*_: object) -> None:
        raise TimeoutError("interrupted")

    run._progress = interrupted
    with pytest.raises(TimeoutError, match="interrupted"):
        await run.run()
    with pytest.raises(WritesStopped, match="checkout store restored"):
        handler.handle([create("c")])
    with pytest.raises(WritesStopped):
        handler.handle([update("no such checkout")])
    assert store.version("c") == 0
    assert "restored" in (position_problem(store.publication.state()) or "")

    report = await topic.report(store, is_lossless=True)
    assert report.events == 2
    assert report.is_new_epoch
    accepted(handler.handle([create("c")])[0])
    [answer] = handler.handle([update("no such checkout")])
    assert isinstance(answer, Rejected)


async def test_the_relay_notices_that_its_store_was_restored(
    store: EventStore, database: str, topic: EventTopic
):
    async def problem() -> str | None:
        publication = store.publication.read()
        tail = TopicTail(store, topic.connection, topic.name)
        return await tail.problem(publication, ends)

    store.append(stream("a", 1, 3))
    await topic.publish(store)
    back_up(database)
    store.append([event("a", 4)])
    ends = await topic.send([event_message(topic.name, event("a", 4))])
    assert await problem() is None, "its acknowledgement was not recorded, that is all"
    restore_backup(database)
    assert "has a version 4, and the event store has not" in (await problem() or "")
    store.append([event("a", 4, buyer("written after the restore"))])
    assert "has a version 4, and the event store has not" in (await problem() or "")


async def test_a_new_store_on_an_old_topic_is_noticed(
    store: EventStore, database: str, topic: EventTopic
):
    store.append(stream("a", 1, 3))
    ends = await topic.send([event_message(topic.name, event("a", 1))])
    tail = TopicTail(store, topic.connection, topic.name)
    assert await tail.problem(store.publication.read(), ends) is None
    for version in (1, 2, 3):
        remove(database, "a", version)
    tail = TopicTail(store, topic.connection, topic.name)
    assert await tail.problem(store.publication.read(), ends) is not None
