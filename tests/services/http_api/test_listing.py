"""The list over HTTP: what it takes, what it refuses, and that it is not shown when it may lack something."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx
import pytest
from fakeredis import FakeAsyncRedis

from domain.values import Status
from projections.redis.views import RedisViews
from services.http_api.app import ApiDependencies, HttpApi
from services.http_api.list_reader import ListReader
from services.kafka.topics import Topics
from services.security.api_keys import ApiKey, Scope
from tests.projections.given import views_in
from tests.projections.listed import CANCELED, listed, show
from tests.services.http_api.test_openapi_answers import assert_documented

PATH = "/v1/checkouts"


class Keys:
    """The token is the scope."""

    def find(self, token: str) -> ApiKey | None:
        if token not in set(Scope):
            return None
        return ApiKey(name="shop", digest="", scopes=(token,), created_at=datetime.now(UTC))


def app_on(views: RedisViews) -> HttpApi:
    return HttpApi(
        ApiDependencies(
            writer=None,
            payments=None,
            checkouts=None,
            lists=ListReader(views),
            history=None,
            keys=Keys(),
            topics=Topics(),
            checks={},
        )
    )


def client_of(app: HttpApi, token: str = Scope.READ) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="http://shop",
        headers={"Authorization": f"Bearer {token}"},
    )


@pytest.fixture
async def views() -> AsyncIterator[RedisViews]:
    opened = views_in(FakeAsyncRedis())
    await opened.finish_rebuild(await opened.begin_rebuild(), {})
    await show(opened, *(listed(f"c{n:02}", n, email=f"{n % 2}@example.com") for n in range(25)))
    await show(opened, listed("closed", 60, CANCELED))
    yield opened
    await opened.close()


@pytest.fixture
def app(views: RedisViews) -> HttpApi:
    return app_on(views)


@pytest.fixture
async def http(app: HttpApi) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(app) as client:
        yield client


async def test_a_page_is_as_documented_and_has_twenty_unless_told(app, http):
    answer = await http.get(PATH)

    assert answer.status_code == 200
    assert_documented(app.openapi(), "list_checkouts", answer)
    page = answer.json()
    assert [it["id"] for it in page["data"]] == ["closed", *(f"c{n:02}" for n in range(24, 5, -1))]
    assert (page["has_more"], page["total_count"]) == (True, 26)


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ({"limit": "1"}, ["closed"]),
        ({"status": "canceled"}, ["closed"]),
        ({"status": "completed"}, []),
        ({"buyer_email": "1@example.com", "limit": "2"}, ["c23", "c21"]),
        ({"buyer_email": "nobody@example.com"}, []),
        ({"created_after": "2026-11-21T12:00:23Z"}, ["closed", "c24"]),
        ({"created_after": "2026-11-21T14:00:23+02:00"}, ["closed", "c24"]),
        ({"created_before": "2026-11-21t12:00:02.0z"}, ["c01", "c00"]),
        (
            {"created_before": "2026-11-21T12:00:04Z", "buyer_email": "1@example.com"},
            ["c03", "c01"],
        ),
        ({"created_before": "0001-01-01T00:00:00+14:00"}, []),
        ({"created_after": "9999-12-31T23:59:59.999999-14:00"}, []),
        ({"cursor": "c02", "limit": "100"}, ["c01", "c00"]),
        ({"cursor": "closed", "status": "ready_for_payment", "limit": "1"}, ["c24"]),
    ],
)
async def test_each_parameter_does_what_it_says(http, query, ids):
    answer = await http.get(PATH, params=query)

    assert answer.status_code == 200, answer.text
    assert [item["id"] for item in answer.json()["data"]] == ids


@pytest.mark.parametrize("limit", ["1", "100"])
async def test_the_bounds_of_the_limit_are_within(http, limit):
    page = (await http.get(PATH, params={"limit": limit})).json()

    assert len(page["data"]) == min(int(limit), page["total_count"])


REFUSED = [
    *(
        ("limit", bad)
        for bad in ["0", "101", "abc", "", "-1", "1.0", "+1", " 1", "1e1", "٣", "9" * 5000]
    ),
    *(("status", bad) for bad in ["", "open", "CANCELED", "canceled,completed", "canceled "]),
    *(("buyer_email", bad) for bad in ["", "x" * 501]),
    *(
        (name, bad)
        for name in ("created_after", "created_before")
        for bad in [
            *("", "yesterday", "2026-11-21", "2026-11-21T12:00:00", "2026-02-30T12:00:00Z"),
            *("2026-11-21T12:00:00 02:00", "1763726400", "0000-01-01T00:00:00Z"),
        ]
    ),
    *(("cursor", bad) for bad in ["", "nobody", "a b", "x" * 65, "c01\n", "*", "ä"]),
    *((name, "1") for name in ("page", "Limit", "offset")),
]


@pytest.mark.parametrize(("name", "value"), REFUSED)
async def test_a_bad_parameter_is_named(app, http, name, value):
    answer = await http.get(PATH, params={name: value})

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert answer.json()["param"] == f"$.{name}"
    assert_documented(app.openapi(), "list_checkouts", answer)


@pytest.mark.parametrize(
    "name", ["status", "buyer_email", "created_after", "created_before", "limit", "cursor"]
)
async def test_a_parameter_is_given_once(http, name):
    good = {
        "status": "canceled",
        "buyer_email": "a@b",
        "limit": "5",
        "cursor": "c01",
    }.get(name, "2026-11-21T12:00:00Z")

    answer = await http.get(PATH, params=[(name, good), (name, good)])

    assert (answer.status_code, answer.json()["param"]) == (400, f"$.{name}")


async def test_who_may_not_read_learns_nothing_else(app):
    for token, status in [("unknown", 401), (Scope.WRITE, 403)]:
        async with client_of(app, token) as client:
            assert (await client.get(PATH, params={"limit": "0"})).status_code == status


async def test_every_status_may_be_asked_for(http):
    for status in Status:
        assert (await http.get(PATH, params={"status": status.value})).status_code == 200


async def test_a_head_is_as_a_get_without_the_body(http):
    head, got = await http.head(PATH), await http.get(PATH)

    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == got.headers["content-length"]


async def test_there_is_no_list_while_the_views_are_built(app, http, views):
    await views.begin_rebuild()

    answer = await http.get(PATH)

    assert (answer.status_code, answer.json()["code"]) == (503, "service_unavailable")
    assert answer.headers["retry-after"] == "1"
    assert_documented(app.openapi(), "list_checkouts", answer)

    await views.finish_rebuild(await views.begin_rebuild(), {})
    assert (await http.get(PATH)).status_code == 200
