"""The audit of the load catches a build that lies: each build here is broken in one place."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.faults.cluster import Cluster, ServiceProcess
from tests.faults.load_run import start_services, under_load, wait_for_count

SHOWS_AN_OLD_VIEW = """
from projections.redis.views import RedisViews

honest, first, calls = RedisViews.get, {}, [0]

async def get(self, checkout_id):
    view = await honest(self, checkout_id)
    calls[0] += 1
    return first.setdefault(checkout_id, view) if calls[0] % 5 == 0 else view

RedisViews.get = get
"""
SHOWS_TWO_CONTENTS_OF_ONE_VERSION = """
from dataclasses import replace
from projections.redis.views import RedisViews

honest, calls = RedisViews.get, [0]

async def get(self, checkout_id):
    view = await honest(self, checkout_id)
    calls[0] += 1
    if view is None or calls[0] % 5:
        return view
    return replace(view, body=view.body.replace(b'"quantity":', b'"quantity":1'))

RedisViews.get = get
"""
REPLIES_ON_THE_DEFAULT_TOPIC_ONLY = """
from services.command_consumer.reply_topics import ReplyTopics

async def choose(self, requested):
    return dict.fromkeys(requested, (self._fallback,))

ReplyTopics.choose = choose
"""
BROKEN_BUILDS = {
    SHOWS_AN_OLD_VIEW: r"GET \S+: version \d+ after this reader saw \d+",
    SHOWS_TWO_CONTENTS_OF_ONE_VERSION: r"ETag \S+ with two contents",
    REPLIES_ON_THE_DEFAULT_TOPIC_ONLY: r"no reply on replies\.load, but one on replies",
}


@pytest.mark.parametrize(("lie", "caught"), BROKEN_BUILDS.items(), ids=["old", "two", "elsewhere"])
async def test_the_audit_catches_a_build_that_lies(
    on_servers: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lie: str, caught: str
):
    monkeypatch.setattr("tests.faults.audit._CATCH_UP_SECONDS", 15.0)
    (tmp_path / "sitecustomize.py").write_text(lie)  # Python runs it at the start of each service.
    on_servers.environment["PYTHONPATH"] = str(tmp_path)
    services = await start_services(on_servers)

    with pytest.raises(AssertionError, match=caught):
        await run_load(on_servers, services)


async def run_load(cluster: Cluster, services: Sequence[ServiceProcess]) -> None:
    """Load the services until each kind of lie has been told, and audit."""
    async with asyncio.timeout(300), under_load(cluster, services) as counts:
        await wait_for_count(counts, "published", by=60, within=60)
        await wait_for_count(counts, "reads", by=200, within=60)
