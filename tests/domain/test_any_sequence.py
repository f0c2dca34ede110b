"""Whatever is asked of a checkout, in whatever order, under whatever book: it stays sound."""

from datetime import timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from domain.checkout import Checkout, fold, next_time
from domain.commands import CancelCheckout, Command, CreateCheckout, UpdateCheckout
from domain.decisions import decide
from domain.events import RecordedEvent, record
from domain.merchant import MerchantBook
from domain.refusals import RefusalCode, Refused
from projections.view import render
from tests.domain import given
from tests.domain.books import BARE, BOOK, DEARER
from tests.domain.soundness import assert_sound

items = st.lists(
    st.builds(
        given.item,
        st.sampled_from(["mug", "novel", "pen", "card", "stamp"]),
        st.integers(1, 10) | st.just(10_000),
    ),
    unique_by=lambda item: item["id"],
    max_size=4,
)
buyers = st.none() | st.sampled_from([given.ADA, given.BOB])
addresses = st.none() | st.sampled_from(
    [given.CALIFORNIA, given.NEW_YORK, given.BERLIN, given.PARIS, given.address("US", "ca")]
)
choices = st.none() | st.sampled_from(["ground", "courier", "express", "parcel"])
optional = {"buyer": buyers, "fulfillment_address": addresses, "fulfillment_option_id": choices}
seen = st.sampled_from([None, None, None, "last", "stale"])
clock = st.integers(-5, 5).map(lambda seconds: timedelta(seconds=seconds))


class AnySequence(RuleBasedStateMachine):
    """Sends commands and keeps, beside the checkout, only what was asked for."""

    @initialize()
    def nothing_yet(self) -> None:
        self.book: MerchantBook = BOOK
        self.checkout: Checkout | None = None
        self.stream: list[RecordedEvent] = []
        self.wishes: dict[str, Any] = {}
        self.refusals: list[tuple[RefusalCode, str | None]] = []

    @rule(book=st.sampled_from([BOOK, DEARER, BARE]))
    def the_merchant_changes_the_book(self, book: MerchantBook) -> None:
        self.book = book

    @rule(
        body=st.fixed_dictionaries({"items": items.filter(bool)}, optional=optional),
        expected=seen,
        drift=clock,
    )
    def create(self, body: dict[str, Any], expected: str | None, drift: timedelta) -> None:
        self.send(CreateCheckout.parse(body), body, expected, drift)

    @precondition(lambda self: self.checkout)
    @rule(
        body=st.fixed_dictionaries({}, optional={"items": items, **optional}),
        expected=seen,
        drift=clock,
    )
    def update(self, body: dict[str, Any], expected: str | None, drift: timedelta) -> None:
        command = UpdateCheckout.parse(body)
        if self.send(command, body, expected, drift):
            assert decide(self.checkout, command, self.book) == (), "a repeat changes nothing"

    @precondition(lambda self: self.checkout and len(self.stream) % 4 == 0)
    @rule(message=st.none() | st.just("Changed my mind"), expected=seen, drift=clock)
    def cancel(self, message: str | None, expected: str | None, drift: timedelta) -> None:
        self.send(CancelCheckout.parse({"message": message}), {}, expected, drift)

    def send(
        self, command: Command, body: dict[str, Any], expected: str | None, drift: timedelta
    ) -> bool:
        """Carry out a command as a handler would; tell whether it was accepted."""
        version = len(self.stream)
        expects = {None: None, "last": version, "stale": version + 1}[expected]
        was_closed = self.checkout is not None and self.checkout.is_closed
        try:
            events = decide(self.checkout, command, self.book, expects)
        except Refused as refused:
            self.refusals.append((refused.code, expected))
            return False
        assert not was_closed, "closed is closed"
        assert expected != "stale"
        at = next_time(self.checkout, given.NOW + drift)
        recorded = record("c1", version, at, events, given.METADATA)
        self.stream += recorded
        self.checkout = fold(recorded, self.checkout)
        self.wishes.update(body)
        return True

    @invariant()
    def the_version_is_checked_before_the_book_is_asked(self) -> None:
        assert (RefusalCode.INVALID, "stale") not in self.refusals

    @invariant()
    def the_checkout_is_sound(self) -> None:
        if self.checkout:
            assert_sound(self.checkout)

    @invariant()
    def it_holds_what_was_asked_for_last(self) -> None:
        if self.checkout is None:
            return
        shown = render(self.checkout)
        assert [line["item"] for line in shown["line_items"]] == self.wishes["items"]
        assert shown.get("buyer") == self.wishes.get("buyer")
        assert shown.get("fulfillment_address") == self.wishes.get("fulfillment_address")
        if self.checkout.choice:
            assert self.checkout.choice == self.wishes["fulfillment_option_id"]

    @invariant()
    def its_stream_has_no_hole_and_never_goes_back_in_time(self) -> None:
        times = [recorded.at for recorded in self.stream]
        assert times == sorted(times)
        versions = [recorded.version for recorded in self.stream]
        assert versions == list(range(1, len(versions) + 1))
        if self.checkout:
            assert self.checkout.version == len(versions)

    @invariant()
    def a_fold_of_all_events_comes_to_the_same_checkout(self) -> None:
        assert fold(self.stream) == self.checkout


TestAnySequence = AnySequence.TestCase
TestAnySequence.settings = settings(max_examples=150, stateful_step_count=25, deadline=None)
