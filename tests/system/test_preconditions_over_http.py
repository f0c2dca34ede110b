"""`If-Match` as RFC 9110 has it: one tag or a list of them, strong ones alone, and what a 412 says."""

import pytest

from tests.system.http_user import ITEMS, opened, problem

MORE = {"items": [{"id": "item_123", "quantity": 3}]}


async def tagged(http):
    """A new checkout's path and version."""
    path = await opened(http)
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
async def test_a_write_goes_by_the_one_version_in_a_list(http, if_match):
    path, version = await tagged(http)
    stale = {"If-Match": if_match.format(version - 1)}

    refused = await http.put(path, json=MORE, headers=stale)
    accepted = await http.put(path, json=MORE, headers={"If-Match": if_match.format(version)})

    assert problem(refused) == (412, "version_mismatch")
    assert f"not at {version - 1}" in refused.json()["message"]
    assert accepted.status_code == 200


async def test_a_list_may_come_in_several_lines(http):
    path, version = await tagged(http)

    def lines(*tags):
        return [("If-Match", tag) for tag in tags]

    answer = await http.put(path, json=MORE, headers=lines('"x"', f'"{version}"'))
    assert answer.status_code == 200
    tag = answer.headers["etag"]
    known = [("If-None-Match", '"x"'), ("If-None-Match", tag)]
    assert (await http.get(path, headers=known)).status_code == 304


async def test_several_versions_are_no_precondition(http):
    path, version = await tagged(http)
    either = {"If-Match": f'"{version}", "{version + 1}"'}

    for answer in (
        await http.put(path, json=MORE, headers=either),
        await http.post(f"{path}/cancel", headers=either),
        await http.post("/v1/checkouts", json={"items": ITEMS}, headers=either),
    ):
        assert problem(answer) == (400, "invalid", "$['If-Match']")
    assert (await http.get(path)).headers["etag"] == f'"{version}"'


@pytest.mark.parametrize("tag", ['"x"', "rubbish", "{0}", 'W/"{0}"', '"{0}" "{0}"', '"{0}", *', ""])
async def test_a_tag_that_is_no_versions_is_told_so_and_no_version_is_made_up(http, tag):
    path, version = await tagged(http)
    key = {"Idempotency-Key": f"tag of {path}", "If-Match": tag.format(version)}

    for replayed in (None, "true"):
        answer = await http.put(path, json=MORE, headers=key)
        assert problem(answer) == (412, "version_mismatch")
        assert answer.headers.get("idempotent-replayed") == replayed
        told = answer.json()["message"]
        assert f"at version {version}" in told
        assert "If-Match" in told
        assert "-1" not in told


async def test_a_checkout_to_be_created_is_at_version_0(http):
    body = {"items": ITEMS}

    created = await http.post("/v1/checkouts", json=body, headers={"If-Match": '"0"'})
    refused = await http.post("/v1/checkouts", json=body, headers={"If-Match": '"1"'})

    assert created.status_code == 201
    assert problem(refused) == (412, "version_mismatch")
