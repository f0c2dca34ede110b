"""`checkout views check` and `rebuild` on a real Redis find and repair altered views."""

from __future__ import annotations

import pytest
from redis import Redis

from projections.redis.keys import Keys
from tests.faults.audit_fixtures import IDS, audited, keys, redis, store, verify, violations
from tests.faults.cluster import Cluster

__all__ = ["audited", "keys", "redis", "store"]


def test_an_altered_view_is_reported_and_rebuilt(audited: Cluster, redis: Redis, keys: Keys):
    checkout_id, key = IDS[2], keys.record("view", IDS[2])
    view = redis.get(key)
    redis.set(key, view.replace(b'"amount":3750', b'"amount":1'))
    message = f"{checkout_id} version 13: the view in Redis differs from the store in "

    [line] = violations(verify(audited, checkout_id))
    assert line.startswith(message)
    checked = audited.run("views", "check")
    assert checked.returncode == 1
    assert message in checked.stdout

    audited.run("views", "rebuild")

    assert redis.get(key) == view
    assert verify(audited, checkout_id).returncode == 0


@pytest.mark.parametrize("variant", ["older", "newer", "none", "no JSON"])
def test_an_old_newer_missing_or_broken_view_is_reported_and_rebuilt(
    audited: Cluster, redis: Redis, keys: Keys, variant: str
):
    checkout_id, key = IDS[3], keys.record("view", IDS[3])
    view = redis.get(key)
    head, body = view.split(b"\n", 1)
    stored = {
        "older": (head.replace(b"13 ", b"12 ", 1) + b"\n" + body, "12, and the store has 13"),
        "newer": (head.replace(b"13 ", b"99 ", 1) + b"\n" + body, "99, which the store does not"),
        "none": (None, "has no view in Redis"),
        "no JSON": (head + b"\n{", "is no JSON"),
    }
    altered, expected = stored[variant]
    redis.delete(key) if altered is None else redis.set(key, altered)

    [line] = violations(verify(audited, checkout_id))
    assert expected in line

    audited.run("views", "rebuild")
    assert redis.get(key) == view


def test_a_view_without_a_checkout_is_reported_and_removed(
    audited: Cluster, redis: Redis, keys: Keys
):
    redis.set(keys.record("view", "stranger"), redis.get(keys.record("view", IDS[3])))

    lines = audited.run("views", "check").stdout.splitlines()
    assert any(line.startswith("stranger version 13: there is a view") for line in lines)

    audited.run("views", "rebuild")
    assert not redis.exists(keys.record("view", "stranger"))


def test_incomplete_views_are_reported_and_rebuilt(audited: Cluster, redis: Redis):
    redis.flushall()

    checked = audited.run("views", "check")
    assert checked.returncode == 1
    assert "not complete" in checked.stdout
    assert "not complete" in violations(verify(audited, IDS[3]))[0]

    audited.run("views", "rebuild")
    assert verify(audited, *IDS[2:]).returncode == 0
