import json
from datetime import timedelta, timezone

import pytest

from domain.checkout import BrokenStream, evolve, fold, next_time
from domain.commands import CancelCheckout, CommandBase, CreateCheckout, UpdateCheckout
from domain.decide import decide
from domain.events import CheckoutCanceled, CheckoutCreated, record
from domain.rejection import RejectionCode
from projections.checkout_view import render
from projections.registry import render_view
from services.messages.rfc3339 import format_rfc3339
from tests.domain.books import BOOK
from tests.domain.given import ADA, METADATA, MUG, NOW, after, ask, created, ready, rejection_of

OPEN = CreateCheckout.parse({"items": MUG})
SAY_BUYER = UpdateCheckout.parse({"buyer": ADA})
LATER = NOW + timedelta(seconds=90)


def test_versions_count_events_from_one():
    opened = ask(None, OPEN)
    more = ask(after(None, opened), SAY_BUYER)

    assert [recorded.version for recorded in (*opened, *more)] == [1, 2, 3, 4]


def test_a_checkout_has_the_version_and_times_of_its_events():
    checkout = after(created(), ask(created(), SAY_BUYER, at=LATER))

    assert (checkout.version, checkout.created_at, checkout.updated_at) == (4, NOW, LATER)


def test_time_goes_on_with_the_clock():
    assert next_time(created(), LATER) == LATER
    assert next_time(None, NOW) == NOW


def test_time_never_goes_back_within_a_checkout_though_the_clock_does():
    assert next_time(created(), NOW - timedelta(hours=1)) == NOW


@pytest.mark.parametrize("expected_version", [0, 1, 4])
def test_a_command_that_has_seen_another_version_is_refused(expected_version):
    for command in (SAY_BUYER, CancelCheckout.parse({})):
        rejection = rejection_of(created(), command, expected_version=expected_version)
        assert rejection.code == RejectionCode.VERSION_MISMATCH
        assert "version 3" in rejection.message


def test_a_command_that_has_seen_the_last_version_is_accepted():
    assert len(decide(created(), SAY_BUYER, BOOK, expected_version=3).events) == 1


def test_a_create_expects_no_version_or_zero():
    assert len(ask(None, OPEN, expected_version=0)) == 3
    assert rejection_of(None, OPEN, expected_version=1).code == RejectionCode.VERSION_MISMATCH


def test_a_stale_version_is_told_before_an_unknown_item():
    wish = UpdateCheckout.parse({"items": [{"id": "unicorn", "quantity": 1}]})

    rejection = rejection_of(created(), wish, expected_version=1)

    assert rejection.code == RejectionCode.VERSION_MISMATCH


def test_a_stream_with_a_hole_a_repeat_or_no_beginning_is_broken():
    stream = ask(None, OPEN)

    for broken in (stream[:1] + stream[2:], stream[:1] + stream[:1], stream[1:]):
        with pytest.raises(BrokenStream, match="c1: version"):
            fold(broken)


def test_a_stream_begins_with_its_creation_and_holds_only_one():
    canceled = CheckoutCanceled(reason=None, message=None)
    opened = ask(None, OPEN)[0].event
    assert isinstance(opened, CheckoutCreated)

    with pytest.raises(BrokenStream, match="begins with CheckoutCanceled"):
        fold(record("c1", 0, NOW, (canceled,), METADATA))
    with pytest.raises(BrokenStream, match="CheckoutCreated can't follow version 1"):
        fold(record("c1", 0, NOW, (opened, opened), METADATA))


def test_of_no_events_there_is_no_checkout():
    assert fold(()) is None


def test_a_fold_may_go_on_from_a_state_in_between():
    stream = ask(None, OPEN)
    halfway = evolve(None, stream[0])

    assert fold(stream[1:], halfway) == fold(stream)


def test_a_command_nobody_decides_is_a_mistake_of_the_program_and_no_rejection():
    class SingToIt(CommandBase):
        NAME = "SingToIt"

    with pytest.raises(AssertionError, match="SingToIt"):
        decide(created(), SingToIt(), BOOK)


def test_times_are_shown_in_utc():
    in_paris = NOW.astimezone(timezone(timedelta(hours=1)))

    assert format_rfc3339(in_paris) == "2026-11-02T09:30:00Z"


def test_a_view_says_which_version_of_which_checkout_it_shows():
    checkout = ready()
    view = render_view(checkout)

    assert (view.checkout_id, view.version) == ("c1", checkout.version)
    assert json.loads(view.body) == render(checkout)
