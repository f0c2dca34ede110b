"""HTTP basics: ETag, Location, Request-Id, health, metrics and documents."""

import uuid

import httpx
import pytest

from services.security.api_keys import Scope, revoke_key
from tests.eventually import eventually
from tests.system.http_user import (
    ADDRESS,
    ITEMS,
    create_api_key,
    create_checkout,
    error_of,
    is_rejected_key,
)


async def test_create_returns_location_and_etag(http):
    created = await http.post("/v1/checkouts", json={"items": ITEMS})

    assert created.headers["location"] == f"/v1/checkouts/{created.json()['id']}"
    read = await http.get(created.headers["location"])
    assert read.json() == created.json()
    assert read.headers["etag"] == created.headers["etag"]


async def test_the_etag_changes_only_when_the_checkout_changes(http):
    path = await create_checkout(http)

    async def tags():
        for call in ({"fulfillment_address": ADDRESS}, {}, {"items": ITEMS}, {"items": []}):
            yield (await http.put(path, json=call)).headers["etag"]
        yield (await http.get(path)).headers["etag"]
        yield (await http.post(f"{path}/cancel")).headers["etag"]

    addressed, nothing, same_items, emptied, read, closed = [tag async for tag in tags()]
    assert addressed == nothing == same_items
    assert emptied == read
    assert len({addressed, emptied, closed}) == 3
    assert all(int(tag.strip('"')) for tag in (addressed, emptied, closed))


async def test_a_get_with_the_current_etag_is_a_304(http):
    path = await create_checkout(http)
    tag = (await http.get(path)).headers["etag"]

    for known in (tag, f"W/{tag}", f'"0", {tag}', "*"):
        answer = await http.get(path, headers={"If-None-Match": known})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"] == tag

    for other in ('"0"', tag.strip('"'), '"x"'):
        assert (await http.get(path, headers={"If-None-Match": other})).status_code == 200


async def test_a_write_with_the_current_etag_is_accepted(http):
    path = await create_checkout(http)
    tag = (await http.get(path)).headers["etag"]

    updated = await http.put(path, json={"items": []}, headers={"If-Match": tag})
    assert (updated.status_code, updated.json()["line_items"]) == (200, [])

    anything = await http.put(path, json={"items": ITEMS}, headers={"If-Match": "*"})
    assert anything.status_code == 200
    now = {"If-Match": anything.headers["etag"]}
    assert (await http.post(f"{path}/cancel", headers=now)).status_code == 200


@pytest.mark.parametrize(
    "template", ["{0}", 'W/"{1}"', "{1}", '"0{1}"', '"x"', "rubbish", '"', '"-1"']
)
async def test_a_write_with_any_other_if_match_changes_nothing(http, template):
    path = await create_checkout(http)
    before = await http.get(path)
    version = int(before.headers["etag"].strip('"'))
    if_match = {"If-Match": template.format(f'"{version - 1}"', version)}

    updated = await http.put(path, json={"items": []}, headers=if_match)
    canceled = await http.post(f"{path}/cancel", headers=if_match)

    assert error_of(updated) == error_of(canceled) == (412, "version_mismatch")
    after = await http.get(path)
    assert (after.json(), after.headers["etag"]) == (before.json(), before.headers["etag"])


@pytest.mark.parametrize("path", ["/v1/checkouts/none", "/healthz", "/nothing"])
async def test_a_request_id_is_echoed(http, path):
    answer = await http.get(path, headers={"Request-Id": "abc-123/~"})

    assert answer.headers.get_list("request-id") == ["abc-123/~"]


@pytest.mark.parametrize("given", [None, "", "two words", "x" * 256, b"caf\xe9", "tab\tbed"])
async def test_a_missing_or_invalid_request_id_is_replaced(http, given):
    headers = {} if given is None else {"Request-Id": given}

    request_ids = {
        (await http.get("/healthz", headers=headers)).headers["request-id"] for _ in range(2)
    }

    assert len(request_ids) == 2
    assert all(uuid.UUID(one) for one in request_ids)


async def test_a_revoked_key_is_rejected_within_5_s(dev):
    name, token = create_api_key(dev, Scope.READ)
    assert not is_rejected_key(dev, token)

    revoke_key(dev.data / "api-keys.json", name)

    eventually(lambda: is_rejected_key(dev, token), within=5)


@pytest.fixture
async def anonymous(dev):
    async with httpx.AsyncClient(base_url=dev.http) as client:
        yield client


async def test_health_and_readiness_need_no_key(anonymous):
    alive, ready = await anonymous.get("/healthz"), await anonymous.get("/readyz")

    assert (alive.status_code, alive.json()) == (200, {"status": "ok"})
    assert (ready.status_code, ready.json()["status"]) == (200, "ready")
    assert {"store", "redis", "relay", "commands", "projector"} <= ready.json()["checks"].keys()
    assert set(ready.json()["checks"].values()) == {"ok"}


async def test_metrics_need_no_key_and_are_labelled_by_route(http, anonymous):
    path = await create_checkout(http)
    await http.get(path)

    metrics = await anonymous.get("/metrics")

    assert metrics.status_code == 200
    assert metrics.headers["content-type"].startswith("text/plain")
    assert 'route="/v1/checkouts/{checkout_id}",status="200"' in metrics.text
    assert path.rpartition("/")[2] not in metrics.text


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/docs", "text/html"),
        ("/openapi.json", "application/json"),
        ("/asyncapi", "text/html"),
        ("/asyncapi.json", "application/json"),
    ],
)
async def test_the_openapi_and_asyncapi_documents_need_no_key(anonymous, path, media_type):
    answer = await anonymous.get(path)

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(media_type)


async def test_the_documents_list_all_operations_and_commands(anonymous):
    calls = (await anonymous.get("/openapi.json")).json()["paths"]
    messages = (await anonymous.get("/asyncapi.json")).text

    checkout = "/v1/checkouts/{checkout_id}"
    assert {"/v1/checkouts", checkout, f"{checkout}/cancel"} <= calls.keys()
    for name in ("CreateCheckout", "UpdateCheckout", "CancelCheckout", "CheckoutPriced"):
        assert f"checkout.{name}" in messages
