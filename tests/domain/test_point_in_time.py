"""A checkout as it was, at a version or at a time."""

from datetime import timedelta

import pytest

from domain.checkout import fold
from domain.commands import CreateCheckout, UpdateCheckout
from domain.point_in_time import as_of
from tests.domain.given import ADA, BOB, MUG, NOW, after, ask

SECOND = timedelta(seconds=1)
CREATED = ask(None, CreateCheckout.parse({"items": MUG, "buyer": ADA}))
STREAM = [
    *CREATED,
    *ask(after(None, CREATED), UpdateCheckout.parse({"buyer": BOB}), at=NOW + 10 * SECOND),
]


@pytest.mark.parametrize("version", range(1, len(STREAM) + 1))
def test_at_a_version_it_is_the_fold_of_so_many_events(version):
    assert as_of(STREAM, version) == fold(STREAM[:version])


@pytest.mark.parametrize("version", [0, -1, len(STREAM) + 1, 10**30])
def test_at_a_version_that_never_was_there_is_none(version):
    assert as_of(STREAM, version) is None


def test_at_a_time_it_is_as_the_last_event_that_is_not_later_left_it():
    assert as_of(STREAM, NOW) == as_of(STREAM, NOW + 9 * SECOND) == fold(CREATED)
    assert as_of(STREAM, NOW + 10 * SECOND) == fold(STREAM)


def test_before_its_first_event_there_was_none():
    assert as_of(STREAM, NOW - SECOND) is None


def test_without_a_moment_it_is_as_it_is_now():
    assert as_of(STREAM) == fold(STREAM)
    assert as_of([]) is None
