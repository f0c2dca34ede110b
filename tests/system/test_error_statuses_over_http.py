"""HTTP errors other than an invalid body: status, code and headers."""

import asyncio

import httpx
import pytest

from services.security.api_keys import Scope
from tests.system.http_user import (
    ITEMS,
    create_api_key,
    create_canceled_checkout,
    create_checkout,
    error_of,
)

MEBIBYTE = 1024 * 1024
CALLS = [
    ("POST", "/v1/checkouts"),
    ("GET", "/v1/checkouts/none"),
    ("GET", "/v1/checkouts/none?version=1"),
    ("GET", "/v1/checkouts/none/events"),
    ("PUT", "/v1/checkouts/none"),
    ("POST", "/v1/checkouts/none/cancel"),
]
NO_KEY = {
    "none": {},
    "an unknown one": {"Authorization": "Bearer nobody's"},
    "another scheme": {"Authorization": "Basic YTpi"},
    "a scheme without a key": {"Authorization": "Bearer"},
    "a key without a scheme": {"Authorization": "a key that the tests know"},
    "no text": {"Authorization": b"Bearer \xff\xfe"},
}


@pytest.mark.parametrize(("method", "path"), CALLS)
@pytest.mark.parametrize("headers", NO_KEY.values(), ids=NO_KEY.keys())
async def test_a_request_without_a_valid_key_is_unauthorized(dev, method, path, headers):
    async with httpx.AsyncClient(base_url=dev.http) as http:
        answer = await http.request(method, path, headers=headers)

    assert error_of(answer) == (401, "unauthorized")
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_key_is_limited_to_its_scopes(dev, http):
    path = await create_checkout(http)
    _, reader = create_api_key(dev, Scope.READ)
    _, writer = create_api_key(dev, Scope.WRITE)

    async with dev.client(reader) as read_client, dev.client(writer) as write_client:
        assert (await read_client.get(path)).status_code == 200
        assert error_of(await read_client.put(path, json={})) == (403, "forbidden")
        assert error_of(await read_client.post(f"{path}/cancel")) == (403, "forbidden")
        assert error_of(await read_client.post("/v1/checkouts", json={})) == (403, "forbidden")
        for below in ("", "?version=1", "/events"):
            assert (await read_client.get(path + below)).status_code == 200
            assert error_of(await write_client.get(path + below)) == (403, "forbidden")
        assert (await write_client.put(path, json={})).status_code == 200


async def chunks(size):
    for _ in range(size // 1024):
        yield b" " * 1024


async def test_a_body_over_one_mebibyte_is_too_large_with_and_without_a_content_length(http):
    path, as_json = await create_checkout(http), {"Content-Type": "application/json"}

    with_length = await http.put(path, content=b" " * (MEBIBYTE + 1), headers=as_json)
    without_length = await http.put(path, content=chunks(2 * MEBIBYTE), headers=as_json)

    assert error_of(with_length) == (413, "too_large")
    assert error_of(without_length) == (413, "too_large")


async def test_a_body_of_one_mebibyte_is_accepted(http):
    path, as_json = await create_checkout(http), {"Content-Type": "application/json"}
    padded = b"{}".ljust(MEBIBYTE)

    assert (await http.put(path, content=padded, headers=as_json)).status_code == 200


@pytest.mark.parametrize(
    "media_type", [None, "text/plain", "application/x-www-form-urlencoded", "application/jsonp"]
)
async def test_a_body_not_declared_as_json_is_an_unsupported_media_type(http, media_type):
    headers = {"Content-Type": media_type} if media_type else {}

    answer = await http.post("/v1/checkouts", content=b'{"items": []}', headers=headers)

    assert error_of(answer) == (415, "unsupported_media_type")


async def test_a_media_type_may_have_parameters_and_capitals(http):
    path = await create_checkout(http)
    headers = {"Content-Type": "Application/JSON; charset=utf-8"}

    assert (await http.put(path, content=b"{}", headers=headers)).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/v1/checkouts/no_such_checkout",
        f"/v1/checkouts/{'a' * 65}",
        "/v1/checkouts/a%20b",
        "/v1/checkouts/a%2Fb",
        "/v1/checkouts/a%00b",
        "/v1/checkouts/abc%0A",
        "/v1/checkouts/%ff%fe",
        "/v1/checkouts/%C3%A9",
        "/v1/checkouts/",
        "/v1/nothing",
        "/",
    ],
)
async def test_an_unknown_path_is_not_found(http, path):
    assert error_of(await http.get(path)) == (404, "not_found")


@pytest.mark.parametrize("checkout_id", ["no_such_checkout", "a%20b", "%ff", "a" * 65])
async def test_updating_or_canceling_an_unknown_checkout_is_not_found(http, checkout_id):
    path = f"/v1/checkouts/{checkout_id}"

    assert error_of(await http.put(path, json={"items": ITEMS})) == (404, "not_found")
    assert error_of(await http.post(f"{path}/cancel")) == (404, "not_found")


async def test_an_unsupported_method_is_a_405_with_allow(http):
    path = await create_checkout(http)

    for method, below, allowed in (
        ("DELETE", path, {"GET", "HEAD", "PUT"}),
        ("PATCH", path, {"GET", "HEAD", "PUT"}),
        ("OPTIONS", path, {"GET", "HEAD", "PUT"}),
        ("POST", f"{path}/events", {"GET", "HEAD"}),
        ("GET", f"{path}/cancel", {"POST"}),
        ("PUT", "/v1/checkouts", {"GET", "HEAD", "POST"}),
        ("PUT", "/readyz", {"GET", "HEAD"}),
        ("BREW", "/healthz", {"GET", "HEAD"}),
    ):
        answer = await http.request(method, below)
        assert error_of(answer) == (405, "method_not_allowed")
        assert set(answer.headers["allow"].split(", ")) == allowed


async def test_canceling_a_closed_checkout_is_a_405_with_an_empty_allow(http):
    path = await create_canceled_checkout(http)

    answer = await http.post(f"{path}/cancel")

    assert error_of(answer) == (405, "not_cancelable")
    assert answer.headers["allow"] == ""


async def test_a_closed_checkout_rejects_updates_and_a_second_cancel(http):
    path = await create_canceled_checkout(http)
    before = (await http.get(path)).json()

    assert error_of(await http.put(path, json={"items": ITEMS})) == (409, "checkout_closed")
    assert error_of(await http.put(path, json={})) == (409, "checkout_closed")
    assert error_of(await http.post(f"{path}/cancel")) == (405, "not_cancelable")
    assert (await http.get(path)).json() == before


@pytest.mark.parametrize(
    "raw",
    [
        b"GET /v1/checkouts/\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"NOT HTTP AT ALL\r\n\r\n",
        b"POST /v1/checkouts HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n",
    ],
)
async def test_a_malformed_http_request_gets_a_flat_json_error(dev, raw):
    url = httpx.URL(dev.http)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(raw)
    async with asyncio.timeout(10):
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()

    status, *headers = head.decode().splitlines()
    media_type = next(h.partition(": ")[2] for h in headers if h.lower().startswith("content-type"))
    answer = httpx.Response(
        int(status.split()[1]), headers={"content-type": media_type}, content=body
    )
    assert error_of(answer) == (400, "invalid")
