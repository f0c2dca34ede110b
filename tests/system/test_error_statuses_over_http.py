"""Each error of the HTTP door that is not about the shape of a body: its status, code and headers."""

import asyncio

import httpx
import pytest

from services.security.api_keys import Scope
from tests.system.http_user import ITEMS, canceled, new_key, opened, problem

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
async def test_a_call_without_a_valid_key_is_unauthorized(dev, method, path, headers):
    async with httpx.AsyncClient(base_url=dev.http) as http:
        answer = await http.request(method, path, headers=headers)

    assert problem(answer) == (401, "unauthorized")
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_key_is_good_for_its_scopes_alone(dev, http):
    path = await opened(http)
    _, reader = new_key(dev, Scope.READ)
    _, writer = new_key(dev, Scope.WRITE)

    async with dev.client(reader) as reading, dev.client(writer) as writing:
        assert (await reading.get(path)).status_code == 200
        assert problem(await reading.put(path, json={})) == (403, "forbidden")
        assert problem(await reading.post(f"{path}/cancel")) == (403, "forbidden")
        assert problem(await reading.post("/v1/checkouts", json={})) == (403, "forbidden")
        for below in ("", "?version=1", "/events"):
            assert (await reading.get(path + below)).status_code == 200
            assert problem(await writing.get(path + below)) == (403, "forbidden")
        assert (await writing.put(path, json={})).status_code == 200


async def chunks(size):
    for _ in range(size // 1024):
        yield b" " * 1024


async def test_a_body_over_one_mebibyte_is_too_large_whether_its_length_is_told_or_not(http):
    path, as_json = await opened(http), {"Content-Type": "application/json"}

    told = await http.put(path, content=b" " * (MEBIBYTE + 1), headers=as_json)
    untold = await http.put(path, content=chunks(2 * MEBIBYTE), headers=as_json)

    assert problem(told) == (413, "too_large")
    assert problem(untold) == (413, "too_large")


async def test_a_body_of_one_mebibyte_is_read(http):
    path, as_json = await opened(http), {"Content-Type": "application/json"}
    padded = b"{}".ljust(MEBIBYTE)

    assert (await http.put(path, content=padded, headers=as_json)).status_code == 200


@pytest.mark.parametrize(
    "media_type", [None, "text/plain", "application/x-www-form-urlencoded", "application/jsonp"]
)
async def test_a_body_that_is_not_said_to_be_json_is_an_unsupported_media_type(http, media_type):
    headers = {"Content-Type": media_type} if media_type else {}

    answer = await http.post("/v1/checkouts", content=b'{"items": []}', headers=headers)

    assert problem(answer) == (415, "unsupported_media_type")


async def test_a_media_type_may_have_parameters_and_capitals(http):
    path = await opened(http)
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
async def test_what_is_not_there_is_not_found(http, path):
    assert problem(await http.get(path)) == (404, "not_found")


@pytest.mark.parametrize("checkout_id", ["no_such_checkout", "a%20b", "%ff", "a" * 65])
async def test_an_unknown_checkout_can_be_neither_updated_nor_canceled(http, checkout_id):
    path = f"/v1/checkouts/{checkout_id}"

    assert problem(await http.put(path, json={"items": ITEMS})) == (404, "not_found")
    assert problem(await http.post(f"{path}/cancel")) == (404, "not_found")


async def test_a_method_that_a_path_does_not_have_is_not_allowed(http):
    path = await opened(http)

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
        assert problem(answer) == (405, "method_not_allowed")
        assert set(answer.headers["allow"].split(", ")) == allowed


async def test_the_cancel_of_a_closed_checkout_says_that_there_is_no_method_left(http):
    path = await canceled(http)

    answer = await http.post(f"{path}/cancel")

    assert problem(answer) == (405, "not_cancelable")
    assert answer.headers["allow"] == ""


async def test_a_closed_checkout_takes_no_update_and_no_second_cancel(http):
    path = await canceled(http)
    before = (await http.get(path)).json()

    assert problem(await http.put(path, json={"items": ITEMS})) == (409, "checkout_closed")
    assert problem(await http.put(path, json={})) == (409, "checkout_closed")
    assert problem(await http.post(f"{path}/cancel")) == (405, "not_cancelable")
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
async def test_what_is_not_even_http_is_told_so_in_flat_json(dev, raw):
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
    assert problem(answer) == (400, "invalid")
