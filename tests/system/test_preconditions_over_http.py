"""`If-Match` as in RFC 9110: one strong entity tag or a list, and the message of a 412."""

import pytest

from tests.system.http_user import ITEMS, create_checkout, error_of

MORE = {"items": [{"id": "item_123", "quantity": 3}]}


async def create_with_version(http):
    """Create a checkout; returns its path and version."""
    path = await create_checkout(http)
    return path, int((await http.get(path)).headers["etag"].strip('"'))


@pytest.mark.parametrize(
    "if_match",
    [
        '"x", "{0}"',
        '"{0}","{0}"',
        'W/"1" , "{0}"',
        '"a,b", "{0}", ""',
        '"{0}", W/"{0}", "-1", "00"',
    ],
)
async def test_a_write_uses_the_only_version_in_an_if_match_list(http, if_match):
    path, version = await create_with_version(http)
    stale = {"If-Match": if_match.format(version - 1)}

    rejected = await http.put(path, json=MORE, headers=stale)
    accepted = await http.put(path, json=MORE, headers={"If-Match": if_match.format(version)})

    assert error_of(rejected) == (412, "version_mismatch")
    assert f"not at {version - 1}" in rejected.json()["message"]
    assert accepted.status_code == 200


async def test_an_entity_tag_list_may_be_split_over_several_headers(http):
    path, version = await create_with_version(http)

    def lines(*tags):
        return [("If-Match", tag) for tag in tags]

    answer = await http.put(path, json=MORE, headers=lines('"x"', f'"{version}"'))
    assert answer.status_code == 200
    tag = answer.headers["etag"]
    known = [("If-None-Match", '"x"'), ("If-None-Match", tag)]
    assert (await http.get(path, headers=known)).status_code == 304


async def test_an_if_match_with_several_versions_is_rejected(http):
    path, version = await create_with_version(http)
    either = {"If-Match": f'"{version}", "{version + 1}"'}

    for answer in (
        await http.put(path, json=MORE, headers=either),
        await http.post(f"{path}/cancel", headers=either),
        await http.post("/v1/checkouts", json={"items": ITEMS}, headers=either),
    ):
        assert error_of(answer) == (400, "invalid", "$['If-Match']")
    assert (await http.get(path)).headers["etag"] == f'"{version}"'


@pytest.mark.parametrize("tag", ['"x"', "rubbish", "{0}", 'W/"{0}"', '"{0}" "{0}"', '"{0}", *', ""])
async def test_an_if_match_without_a_version_is_a_412_that_names_the_current_version(http, tag):
    path, version = await create_with_version(http)
    key = {"Idempotency-Key": f"tag of {path}", "If-Match": tag.format(version)}

    for replayed in (None, "true"):
        answer = await http.put(path, json=MORE, headers=key)
        assert error_of(answer) == (412, "version_mismatch")
        assert answer.headers.get("idempotent-replayed") == replayed
        message = answer.json()["message"]
        assert f"at version {version}" in message
        assert "If-Match" in message
        assert "-1" not in message


async def test_a_create_expects_version_0(http):
    body = {"items": ITEMS}

    created = await http.post("/v1/checkouts", json=body, headers={"If-Match": '"0"'})
    rejected = await http.post("/v1/checkouts", json=body, headers={"If-Match": '"1"'})

    assert created.status_code == 201
    assert error_of(rejected) == (412, "version_mismatch")
