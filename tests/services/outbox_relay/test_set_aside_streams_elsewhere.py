"""The audit, `checkout store restored` and the command line know of streams that are set aside."""

from __future__ import annotations

import json

import pytest

from services.audit.verify import Verification
from services.event_store import EventStore
from tests.services.command_line import checkout
from tests.services.event_store.samples import event, stream
from tests.services.outbox_relay.conftest import RunsRelay
from tests.services.outbox_relay.test_set_aside import until_on, until_published, write
from tests.services.store_restore.given import EventTopic


@pytest.fixture
async def aside(
    store: EventStore, database: str, topic: EventTopic, relaying: RunsRelay
) -> EventStore:
    """A store whose checkout `a` is set aside from version 2 on; the relay has stopped."""
    store.append([*stream("a", 1, 4), *stream("b", 1, 2)])
    write(database, "a", 2, b"?")
    async with relaying():
        await until_on(topic, a=[1], b=[1, 2])
        await until_published(store)
    return store


async def violations(store: EventStore, topic: EventTopic) -> tuple[list[str], int]:
    """The violations on the event topic, and how many events wait for the relay."""
    found = Verification(store, [], None, (topic.connection, topic.name), lambda *_: None)
    lines = [violation.line() async for violation in found.violations()]
    return [line for line in lines if topic.name in line or "read" in line], found.counts.waiting


async def test_the_audit_names_the_damaged_row_and_counts_what_waits_behind_it(
    aside: EventStore, database: str, topic: EventTopic, relaying: RunsRelay
):
    lines, waiting = await violations(aside, topic)
    assert len(lines) == 1
    assert lines[0].startswith("a version 2: ")
    assert waiting == 3

    write(database, "a", 2)
    assert await violations(aside, topic) == ([], 3)
    async with relaying():
        await until_on(topic, a=[1, 2, 3, 4], b=[1, 2])
    assert await violations(aside, topic) == ([], 0)


async def test_a_restore_leaves_the_position_behind_what_is_set_aside(
    aside: EventStore, database: str, topic: EventTopic, relaying: RunsRelay
):
    newest = aside.newest()
    report = await topic.report(aside)
    assert (report.position, report.imported, report.differences) == (newest, [], [])

    aside.append([event("b", 3)])
    async with relaying():
        await until_on(topic, a=[1], b=[1, 2, 3])
        write(database, "a", 2)
        await until_on(topic, a=[1, 2, 3, 4], b=[1, 2, 3])


def test_they_are_listed_for_a_person_and_for_a_script(aside: EventStore, database: str):
    def listed(*options: str) -> str:
        ended = checkout("events", "set-aside", *options, CHECKOUT_EVENT_STORE_URL=database)
        assert (ended.returncode, ended.stderr) == (0, "")
        return ended.stdout

    [found] = aside.set_aside.all()
    assert listed().startswith("a from version 2 on, since 20")
    assert "can't be read" in listed()
    assert json.loads(listed("--json")) == {
        "checkout_id": "a",
        "version": 2,
        "position": 2,
        "reason": found.reason,
        "since": found.since,
    }
