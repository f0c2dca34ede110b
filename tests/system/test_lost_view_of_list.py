"""A lost view or index makes the list wait, and only until the projector has written it again."""

from pathlib import Path

import httpx
import pytest

from projections.list_index import INDEX
from projections.registry import PROJECTIONS
from services.dev.system import dev_system
from tests.eventually import eventually_async

ONE_ITEM = {"items": [{"id": "item_123", "quantity": 1}]}


@pytest.mark.parametrize("name", [it.name for it in PROJECTIONS])
async def test_a_lost_view_is_written_again_after_the_list_lacked_it(tmp_path: Path, name: str):
    async with dev_system(tmp_path / "data") as system:
        headers = {"Authorization": f"Bearer {system.api_key}"}
        async with httpx.AsyncClient(base_url=system.http, headers=headers) as http:
            answer = await http.post("/v1/checkouts", json=ONE_ITEM)
            created, version = answer.json(), int(answer.headers["etag"].strip('"'))

            async def is_projected() -> bool:
                return sum((await system.views.positions()).values()) == version

            await eventually_async(is_projected, within=15)
            key = system.views.keys.record(name, created["id"])
            stored = await system.views._redis.get(key)
            await system.views._redis.delete(key)

            assert (await http.get("/v1/checkouts")).status_code == 503

            async def is_listed() -> bool:
                return (await http.get("/v1/checkouts")).status_code == 200

            async def nothing_is_lost() -> bool:
                return not await system.views.lost()

            await eventually_async(is_listed, within=15)
            page = (await http.get("/v1/checkouts")).json()
            assert [item["id"] for item in page["data"]] == [created["id"]]
            assert await system.views._redis.get(key) == stored
            await eventually_async(nothing_is_lost, within=15)


@pytest.mark.parametrize("pattern", [f"{INDEX}*", "index_counts", "*index*"])
async def test_a_lost_index_is_never_a_shorter_list(tmp_path: Path, pattern: str):
    async with dev_system(tmp_path / "data") as system:
        headers = {"Authorization": f"Bearer {system.api_key}"}
        async with httpx.AsyncClient(base_url=system.http, headers=headers) as http:
            ids = [(await http.post("/v1/checkouts", json=ONE_ITEM)).json()["id"] for _ in "123"]
            assert (await http.get("/v1/checkouts")).json()["total_count"] == 3
            lost = await system.views._redis.keys(system.views.keys.index(pattern))
            assert await system.views._redis.delete(*lost)

            assert (await http.get("/v1/checkouts")).status_code == 503
            assert (await http.get(f"/v1/checkouts/{ids[0]}")).status_code == 200

            async def is_listed() -> bool:
                return (await http.get("/v1/checkouts")).status_code == 200

            await eventually_async(is_listed, within=15)
            page = (await http.get("/v1/checkouts")).json()
            assert [item["id"] for item in page["data"]] == ids[::-1]
