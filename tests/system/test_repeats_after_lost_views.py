"""A repeat gets the first answer, and never shows readers its old version where the latest view is lost."""

from pathlib import Path

import httpx
import pytest

from projections.redis.views import RedisViews
from services.dev.system import dev_system
from tests.system.http_user import ITEMS
from tests.system.payment_requests import READY_CHECKOUT, payment_body


async def lose_view(views: RedisViews, path: str) -> None:
    """What an evicting Redis does."""
    await views._redis.delete(views.keys.record("view", path.rpartition("/")[2]))


async def created(http: httpx.AsyncClient, path: str) -> httpx.Response:
    assert path
    return await http.post("/v1/checkouts", json=READY_CHECKOUT, headers={"Idempotency-Key": "c"})


async def updated(http: httpx.AsyncClient, path: str) -> httpx.Response:
    return await http.put(
        path, json={"items": [ITEMS[0] | {"quantity": 5}]}, headers={"Idempotency-Key": "u"}
    )


async def declined(http: httpx.AsyncClient, path: str) -> httpx.Response:
    body, key = payment_body("spt_declined"), {"Idempotency-Key": "p"}
    return await http.post(f"{path}/complete", json=body, headers=key)


STATUS = {created: 201, updated: 200, declined: 402}


@pytest.mark.parametrize("write", [created, updated, declined])
async def test_get_shows_the_latest_version_after_a_repeat(tmp_path: Path, write):
    async with dev_system(tmp_path / "data") as system:
        headers = {"Authorization": f"Bearer {system.api_key}"}
        async with httpx.AsyncClient(base_url=system.http, headers=headers, timeout=30) as http:
            path = (await created(http, "first")).headers["location"]
            first = await write(http, path)
            assert first.status_code == STATUS[write], first.text
            canceled = await http.post(f"{path}/cancel")
            assert canceled.json()["status"] == "canceled"
            await lose_view(system.views, path)

            again = await write(http, path)

            assert (again.status_code, again.content) == (first.status_code, first.content)
            shown = await http.get(path)
            assert (shown.content, shown.headers["etag"]) == (
                canceled.content,
                canceled.headers["etag"],
            )
            view = await system.views.get(path.rpartition("/")[2])
            assert view is None or view.body == canceled.content
