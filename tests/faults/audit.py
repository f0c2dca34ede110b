"""Audit after the faults: compares the recorded promises with the store, the topics and the views."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import httpx
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from domain.checkout import Checkout, fold
from domain.events import RecordedEvent
from projections.redis.views import connect
from projections.registry import render_view
from services.command_handling.command_envelope import outcome_key
from services.event_store import EventStore, Outcome, open_store
from services.messages.event_messages import event_message
from tests.faults.audit_payments import contradicted_answers, unfinished_payments, wrong_charges
from tests.faults.audit_topic import PublishedEvents
from tests.faults.cluster import API_KEY, Cluster, ServiceProcess
from tests.faults.ledger import SOURCE, Ledger, reply_topic

_CATCH_UP_SECONDS = 60.0


class Audit:
    """Collects violations; an empty list means that every promise was kept."""

    def __init__(self, cluster: Cluster, ledger: Ledger, api: ServiceProcess) -> None:
        self._cluster = cluster
        self._ledger = ledger
        self._api = api
        self.violations = list(ledger.violations)
        self.applied = 0
        self.rejected = 0
        self.lost = 0
        self.ends: Counter[str] = Counter()

    async def run(self) -> list[str]:
        """Run all checks; returns one line for each violation."""
        store = await asyncio.to_thread(open_store, self._cluster.database)
        try:
            await self._every_command_is_answered()
            self.violations += await asyncio.to_thread(unfinished_payments, store)
            streams, messages = await asyncio.to_thread(_read_all, store)
            outcomes = await asyncio.to_thread(self._outcomes, store)
            published = await PublishedEvents.read(self._cluster, messages, _CATCH_UP_SECONDS)
            self.ends.update(_name(r) for stream in streams.values() for r in stream)
            self._streams_have_no_gaps(streams)
            self._no_command_took_effect_twice(streams)
            self._acknowledged_commands_are_recorded(outcomes, streams, published)
            self._only_lost_checkouts_were_absent(streams, published)
            self.violations += contradicted_answers(self._ledger, streams, published)
            self.violations += wrong_charges(self._cluster, self._ledger, streams)
            versions = {name: [r.version for r in stream] for name, stream in streams.items()}
            self.violations += published.differences(versions, messages)
            await self._views_equal_fold(store, streams)
            await self._list_is_complete(streams)
        finally:
            store.close()
        return self.violations

    def _outcomes(self, store: EventStore) -> dict[str, Outcome]:
        keys = [outcome_key("kafka", SOURCE, command_id) for command_id in self._ledger.published]
        keys += [
            outcome_key("http", f"tests {method} {path}", key)
            for method, path, key in self._ledger.http_answers
        ]
        return dict(store.read(keys, []).outcomes)

    def _streams_have_no_gaps(self, streams: dict[str, list[RecordedEvent]]) -> None:
        for checkout, stream in streams.items():
            versions = [recorded.version for recorded in stream]
            if versions != [*range(1, len(versions) + 1)]:
                self.violations.append(f"{checkout}: versions {versions}")

    def _no_command_took_effect_twice(self, streams: dict[str, list[RecordedEvent]]) -> None:
        """Every command of the load sets different items, so each takes effect at most once."""
        times: dict[tuple[str, str, str], int] = defaultdict(int)
        for stream in streams.values():
            for recorded in stream:
                if _name(recorded) == "ItemsUpdated":
                    metadata = recorded.metadata
                    times[metadata.channel, metadata.command_source, metadata.command_id] += 1
        self.applied = len(times)
        for command, count in times.items():
            if count > 1:
                self.violations.append(f"{command} took effect {count} times")

    def _acknowledged_commands_are_recorded(
        self,
        outcomes: dict[str, Outcome],
        streams: dict[str, list[RecordedEvent]],
        published: PublishedEvents,
    ) -> None:
        """What was acknowledged before a loss may be gone if it was never published, and only that."""
        before_loss = self._ledger.before_loss
        for command_id in self._ledger.published:
            outcome = outcomes.get(outcome_key("kafka", SOURCE, command_id))
            if outcome is None:
                is_published = bool(published.of_command(SOURCE, command_id))
                if command_id in before_loss and not is_published:
                    self.lost += 1
                else:
                    self.violations.append(f"{command_id} on Kafka has no outcome")
            elif outcome.rejection:
                self.rejected += 1
        for request, (checkout, status, version) in self._ledger.http_answers.items():
            method, path, key = request
            source = f"tests {method} {path}"
            outcome = outcomes.get(outcome_key("http", source, key))
            if outcome is None or outcome.version != version:
                wrong = f"{key} was answered {status} v{version}, not {outcome}"
            elif len(streams.get(checkout, ())) < version:
                wrong = f"{key}: {checkout} has no version {version}"
            else:
                continue
            is_published = f"{checkout}:{version}" in published.of_command(source, key)
            if request in before_loss and not is_published:
                self.lost += 1
            else:
                self.violations.append(wrong)

    def _only_lost_checkouts_were_absent(
        self, streams: dict[str, list[RecordedEvent]], published: PublishedEvents
    ) -> None:
        for checkout in self._ledger.absent:
            if checkout in streams or checkout in published.versions:
                self.violations.append(f"{checkout}: 404, and it is in the store or on Kafka")
            elif checkout not in self._ledger.before_loss:
                self.violations.append(f"{checkout}: lost without a loss of commits")

    async def _every_command_is_answered(self) -> None:
        """Every command that Kafka acknowledged has a reply where it asked for one, or a dead letter."""
        asked = {command_id: reply_topic(command_id) for command_id in self._ledger.published}
        missing, found_on = set(asked), dict[str, str]()

        def note(topic: str, record: ConsumerRecord) -> bool:
            command_id = _header(record, "ce_causationid")
            if asked.get(command_id) == topic:
                missing.discard(command_id)
            found_on[command_id] = topic
            return not any(asked[command_id] == topic for command_id in missing)

        def is_dead(record: ConsumerRecord) -> bool:
            missing.discard(_header(record, "ce_id"))
            return not missing

        for topic in sorted(set(asked.values())):
            await self._read(topic, partial(note, topic))
        if missing:
            await self._read("dead-letters", is_dead)
        for command_id in missing:
            found = found_on.get(command_id)
            elsewhere = f", but one on {found}" if found else " and no dead letter"
            self.violations.append(f"{command_id} has no reply on {asked[command_id]}{elsewhere}")

    async def _views_equal_fold(
        self, store: EventStore, streams: dict[str, list[RecordedEvent]]
    ) -> None:
        views = connect(
            self._cluster.redis.url, self._cluster.prefix, store.known_lineage, store.views_trust
        )
        epoch = store.lineage().epoch
        outdated = {checkout: _fold(stream) for checkout, stream in streams.items()}
        headers = {"Authorization": f"Bearer {API_KEY}"}
        deadline = asyncio.get_running_loop().time() + _CATCH_UP_SECONDS
        try:
            async with httpx.AsyncClient(base_url=self._api.url, headers=headers) as http:
                while outdated and asyncio.get_running_loop().time() < deadline:
                    for checkout, state in list(outdated.items()):
                        # A build that knows all events of the checkout has written the same content.
                        expected = replace(render_view(state, epoch), is_partial=False)
                        shown = await views.get(checkout)
                        response = await http.get(f"/v1/checkouts/{checkout}")
                        if shown == expected and response.content == expected.body:
                            del outdated[checkout]
                    await asyncio.sleep(0.2 if outdated else 0)
        finally:
            await views.close()
        for checkout, state in outdated.items():
            self.violations.append(f"{checkout}: the view is not that of version {state.version}")

    async def _list_is_complete(self, streams: dict[str, list[RecordedEvent]]) -> None:
        """The list holds each checkout once, with its status."""
        listed: list[tuple[str, str]] = []
        cursor: dict[str, str] = {}
        headers = {"Authorization": f"Bearer {API_KEY}"}
        async with httpx.AsyncClient(base_url=self._api.url, headers=headers) as http:
            while True:
                answer = await http.get("/v1/checkouts", params={"limit": "100", **cursor})
                if answer.status_code != 200:
                    self.violations.append(f"the list answers {answer.status_code}")
                    return
                page = answer.json()
                listed += [(item["id"], item["status"]) for item in page["data"]]
                if not page["has_more"]:
                    break
                cursor = {"cursor": page["data"][-1]["id"]}
        stored = [(checkout, _fold(stream).status) for checkout, stream in streams.items()]
        if sorted(listed) != sorted(stored) or page["total_count"] != len(stored):
            differing = sorted(set(listed) ^ set(stored))[:5]
            summary = f"{len(listed)} listed of {len(stored)}, counted {page['total_count']}"
            self.violations.append(f"{summary}; among what differs: {differing}")

    async def _read(self, topic: str, done: Callable[[ConsumerRecord], bool]) -> None:
        """Read a topic from its beginning until `done` returns true, for at most 60 s."""
        bootstrap = self._cluster.kafka.bootstrap_servers
        consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
        await consumer.start()
        try:
            partitions = [TopicPartition(f"{self._cluster.prefix}{topic}", n) for n in range(4)]
            consumer.assign(partitions)
            await consumer.seek_to_beginning(*partitions)
            async with asyncio.timeout(_CATCH_UP_SECONDS):
                async for record in consumer:
                    if done(record):
                        return
        except TimeoutError:
            return
        finally:
            await consumer.stop()


def _read_all(store: EventStore) -> tuple[dict[str, list[RecordedEvent]], dict[str, bytes]]:
    """The streams by checkout, and what must be on Kafka: the data as it is stored, by any build."""
    streams: dict[str, list[RecordedEvent]] = defaultdict(list)
    messages: dict[str, bytes] = {}
    position = 0
    while rows := store.rows(position, 1_000):
        for row in rows:
            streams[row.checkout_id].append(row.event())
            messages[f"{row.checkout_id}:{row.version}"] = event_message("", row).value
        position = rows[-1].position
    return streams, messages


def _fold(stream: list[RecordedEvent]) -> Checkout:
    folded = fold(stream)
    assert folded is not None
    return folded


def _name(recorded: RecordedEvent) -> str:
    return recorded.topic.partition(":")[0]


def _header(record: ConsumerRecord, name: str) -> str:
    value = dict(record.headers).get(name)
    return value.decode() if value else ""
