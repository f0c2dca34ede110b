"""What HTTP itself promises: versions as entity tags, where a checkout is, and ids of requests."""

import uuid

import httpx
import pytest

from services.security.api_keys import Scope, revoke_key
from tests.eventually import eventually
from tests.system.http_user import ADDRESS, ITEMS, is_unknown, new_key, opened, problem


async def test_create_tells_where_the_checkout_is_and_its_version(http):
    created = await http.post("/v1/checkouts", json={"items": ITEMS})

    assert created.headers["location"] == f"/v1/checkouts/{created.json()['id']}"
    read = await http.get(created.headers["location"])
    assert read.json() == created.json()
    assert read.headers["etag"] == created.headers["etag"]


async def test_the_entity_tag_changes_with_each_change_and_with_nothing_else(http):
    path = await opened(http)

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


async def test_a_read_of_a_known_version_is_not_modified(http):
    path = await opened(http)
    tag = (await http.get(path)).headers["etag"]

    for known in (tag, f"W/{tag}", f'"0", {tag}', "*"):
        answer = await http.get(path, headers={"If-None-Match": known})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"] == tag

    for other in ('"0"', tag.strip('"'), '"x"'):
        assert (await http.get(path, headers={"If-None-Match": other})).status_code == 200


async def test_a_write_that_names_the_version_it_saw_is_accepted(http):
    path = await opened(http)
    tag = (await http.get(path)).headers["etag"]

    updated = await http.put(path, json={"items": []}, headers={"If-Match": tag})
    assert (updated.status_code, updated.json()["line_items"]) == (200, [])

    anything = await http.put(path, json={"items": ITEMS}, headers={"If-Match": "*"})
    assert anything.status_code == 200
    now = {"If-Match": anything.headers["etag"]}
    assert (await http.post(f"{path}/cancel", headers=now)).status_code == 200


@pytest.mark.parametrize(
    "spoil", ["{0}", 'W/"{1}"', "{1}", '"0{1}"', '"x"', "rubbish", '"', '"-1"']
)
async def test_a_write_that_names_anything_else_changes_nothing(http, spoil):
    path = await opened(http)
    before = await http.get(path)
    version = int(before.headers["etag"].strip('"'))
    if_match = {"If-Match": spoil.format(f'"{version - 1}"', version)}

    updated = await http.put(path, json={"items": []}, headers=if_match)
    canceled = await http.post(f"{path}/cancel", headers=if_match)

    assert problem(updated) == problem(canceled) == (412, "version_mismatch")
    after = await http.get(path)
    assert (after.json(), after.headers["etag"]) == (before.json(), before.headers["etag"])


@pytest.mark.parametrize("path", ["/v1/checkouts/none", "/healthz", "/nothing"])
async def test_a_request_id_is_echoed(http, path):
    answer = await http.get(path, headers={"Request-Id": "abc-123/~"})

    assert answer.headers.get_list("request-id") == ["abc-123/~"]


@pytest.mark.parametrize("given", [None, "", "two words", "x" * 256, b"caf\xe9", "tab\tbed"])
async def test_a_missing_or_bad_request_id_is_replaced_by_a_new_one(http, given):
    headers = {} if given is None else {"Request-Id": given}

    made = {(await http.get("/healthz", headers=headers)).headers["request-id"] for _ in range(2)}

    assert len(made) == 2
    assert all(uuid.UUID(one) for one in made)


async def test_a_revoked_key_stops_working_within_five_seconds(dev):
    name, token = new_key(dev, Scope.READ)
    assert not is_unknown(dev, token)

    revoke_key(dev.data / "api-keys.json", name)

    eventually(lambda: is_unknown(dev, token), within=5)


@pytest.fixture
async def nobody(dev):
    async with httpx.AsyncClient(base_url=dev.http) as client:
        yield client


async def test_whether_it_lives_and_is_ready_is_told_without_a_key(nobody):
    alive, ready = await nobody.get("/healthz"), await nobody.get("/readyz")

    assert (alive.status_code, alive.json()) == (200, {"status": "ok"})
    assert (ready.status_code, ready.json()["status"]) == (200, "ready")
    assert {"store", "redis", "relay", "commands", "projector"} <= ready.json()["checks"].keys()
    assert set(ready.json()["checks"].values()) == {"ok"}


async def test_metrics_are_told_without_a_key_by_route_and_not_by_id(http, nobody):
    path = await opened(http)
    await http.get(path)

    metrics = await nobody.get("/metrics")

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
async def test_the_documents_of_both_doors_need_no_key(nobody, path, media_type):
    answer = await nobody.get(path)

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(media_type)


async def test_the_documents_name_each_call_and_each_command(nobody):
    calls = (await nobody.get("/openapi.json")).json()["paths"]
    messages = (await nobody.get("/asyncapi.json")).text

    checkout = "/v1/checkouts/{checkout_id}"
    assert {"/v1/checkouts", checkout, f"{checkout}/cancel"} <= calls.keys()
    for name in ("CreateCheckout", "UpdateCheckout", "CancelCheckout", "CheckoutPriced"):
        assert f"checkout.{name}" in messages
