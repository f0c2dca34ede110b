"""After a store lost commits, its new content is served, under entity tags that never named another."""

import sqlite3
import time
from pathlib import Path

import httpx

from services.dev.system import dev_system
from services.event_store import open_store
from services.event_store.known import FRESH_SECONDS
from tests.eventually import eventually_async
from tests.system.http_user import ITEMS, error_of


def items(quantity: int) -> dict[str, object]:
    return {"items": [{"id": "item_123", "quantity": quantity}]}


def lose_commits_after(data: Path, checkout: str, version: int) -> int:
    """What a failover with loss does to a checkout. Returns the epoch that begins then."""
    url = data / "events.db"
    with sqlite3.connect(url) as database:
        facts = (checkout, version)
        database.execute(
            "DELETE FROM stored_events WHERE originator_id = ? AND originator_version > ?", facts
        )
    database.close()
    store = open_store(f"sqlite:///{url}")
    epoch = store.begin_epoch().epoch
    store.close()
    return epoch


async def test_a_lost_version_number_is_given_again_under_another_tag(tmp_path: Path):
    data = tmp_path / "data"
    async with dev_system(data) as system:
        headers = {"Authorization": f"Bearer {system.api_key}"}
        async with httpx.AsyncClient(base_url=system.http, headers=headers) as http:
            path = (await http.post("/v1/checkouts", json={"items": ITEMS})).headers["location"]
            kept = (await http.get(path)).headers["etag"]
            lost = await http.put(path, json=items(7))
            assert (await http.get(path)).headers["etag"] == lost.headers["etag"] != kept

            version = int(kept.strip('"'))
            epoch = lose_commits_after(data, path.rpartition("/")[2], version)
            begun = time.monotonic()

            async def is_known() -> bool:
                return (await http.get(path)).headers["etag"] == f'"{version}.{epoch}"'

            await eventually_async(is_known, within=FRESH_SECONDS + 4)
            assert time.monotonic() - begun < FRESH_SECONDS + 4

            for stale in (kept, lost.headers["etag"], f'"{version}.{epoch + 1}"'):
                refused = await http.put(path, json=items(3), headers={"If-Match": stale})
                assert error_of(refused) == (412, "version_mismatch")
            key = {"If-Match": f'"{version}.{epoch}"', "Idempotency-Key": "a"}
            written = await http.put(path, json=items(9), headers=key)
            repeated = await http.put(path, json=items(9), headers=key)

            lost_version = lost.headers["etag"].strip('"')
            assert written.headers["etag"] == f'"{lost_version}.{epoch}"'
            assert (repeated.content, repeated.headers["etag"]) == (
                written.content,
                written.headers["etag"],
            )
            shown = await http.get(path, headers={"If-None-Match": lost.headers["etag"]})
            assert (shown.status_code, shown.json()) == (200, written.json())
            known = {"If-None-Match": written.headers["etag"]}
            assert (await http.get(path, headers=known)).status_code == 304
            past = await http.get(path, params={"version": version})
            assert past.headers["etag"] == f'"{version}.{epoch}"'

            async def is_listed() -> bool:
                return (await http.get("/v1/checkouts")).status_code == 200

            await eventually_async(is_listed, within=15)
            view = await system.views.get(path.rpartition("/")[2])
            assert view
            assert (view.epoch, view.body) == (epoch, written.content)


async def test_a_checkout_that_does_not_exist_is_at_version_0_in_every_epoch(tmp_path: Path):
    data = tmp_path / "data"
    async with dev_system(data) as system:
        headers = {"Authorization": f"Bearer {system.api_key}", "If-Match": '"0"'}
        async with httpx.AsyncClient(base_url=system.http, headers=headers) as http:
            epoch = lose_commits_after(data, "none", 0)

            async def is_known() -> bool:
                made = await http.post("/v1/checkouts", json={"items": ITEMS})
                assert made.status_code == 201
                return made.headers["etag"].endswith(f'.{epoch}"')

            await eventually_async(is_known, within=FRESH_SECONDS + 4)
