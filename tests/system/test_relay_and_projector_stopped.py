"""HTTP works while the relay and the projector are stopped; both catch up afterwards."""

from collections.abc import Iterable
from pathlib import Path

import httpx

from projections.redis.views import RedisViews
from services.dev.system import DevSystem, dev_system
from tests.eventually import eventually_async
from tests.system.kafka_user import header, kafka_user, topic_consumer

ONE_ITEM = {"items": [{"id": "item_123", "quantity": 1}]}
CHECKOUTS = 20


async def test_http_works_while_relay_and_projector_are_stopped_and_the_relay_catches_up(
    tmp_path: Path,
):
    async with dev_system(tmp_path / "data") as system:
        await system.relay.stop()
        await system.projector.stop()
        views = await _write_and_read(system)

        async with kafka_user(system.kafka) as kafka:
            async with topic_consumer(system.kafka, "checkout.events") as consumer:
                assert not await consumer.getmany(timeout_ms=300)
            await system.relay.start()
            expected = sum(views.values())
            events = await kafka.records("checkout.events", lambda _: True, expected)

    sequences: dict[str | None, list[int]] = {}
    for event in events:
        sequence = sequences.setdefault(header(event, "ce_subject"), [])
        sequence.append(int(header(event, "ce_sequence") or 0))
    assert sequences == {checkout: [*range(1, last + 1)] for checkout, last in views.items()}


async def test_the_projector_rebuilds_views_that_a_writer_could_not_write(tmp_path: Path):
    async with dev_system(tmp_path / "data") as system:
        await system.projector.stop()
        versions = await _write_and_read(system)
        await delete_views(system.views, versions)
        assert [await system.views.get(checkout) for checkout in versions] == [None] * CHECKOUTS

        await system.projector.start()

        async def all_views_are_current() -> bool:
            return not await system.views.outdated(versions)

        await eventually_async(all_views_are_current, within=15)
        shown = [await system.views.get(checkout) for checkout in versions]
        assert [view and view.version for view in shown] == list(versions.values())


async def delete_views(views: RedisViews, checkouts: Iterable[str]) -> None:
    """Delete views, as if they had never reached Redis."""
    await views._redis.delete(*(views.keys.record("view", checkout) for checkout in checkouts))


async def _write_and_read(system: DevSystem) -> dict[str, int]:
    """Create and update some checkouts; returns the versions read back, by id."""
    versions = {}
    headers = {"Authorization": f"Bearer {system.api_key}"}
    async with httpx.AsyncClient(base_url=system.http, headers=headers) as http:
        for number in range(CHECKOUTS):
            created = await http.post("/v1/checkouts", json=ONE_ITEM)
            assert created.status_code == 201
            path = created.headers["location"]
            body = {"items": [{"id": "item_123", "quantity": number + 2}]}
            updated = await http.put(path, json=body)
            read = await http.get(path)
            assert read.json() == updated.json()
            versions[read.json()["id"]] = int(read.headers["etag"].strip('"'))
    return versions
