"""Whatever is asked of a checkout, in whatever order, under whatever book: it stays sound."""

import re
from datetime import timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
)

from domain.checkout import Checkout, fold, next_time
from domain.commands import (
    CancelCheckout,
    Command,
    CompleteCheckout,
    CreateCheckout,
    RecordDecline,
    RecordPayment,
    UpdateCheckout,
)
from domain.decide import decide
from domain.decision import Decision
from domain.events import CheckoutCompleted, Event, PaymentStarted, RecordedEvent, record
from domain.merchant_book import MerchantBook
from domain.rejection import Rejection, RejectionCode
from projections.checkout_view import render
from tests.domain import given, strategies
from tests.domain.books import BOOK
from tests.domain.invariants import assert_sound

PAYMENT_STEPS = {"PaymentStarted": "S", "PaymentDeclined": "D", "CheckoutCompleted": "C"}


class AnySequence(RuleBasedStateMachine):
    """Sends commands and keeps, beside the checkout, only what was asked for and told."""

    attempts: Bundle[str] = Bundle("attempts")

    @initialize()
    def nothing_yet(self) -> None:
        self.book: MerchantBook = BOOK
        self.checkout: Checkout | None = None
        self.stream: list[RecordedEvent] = []
        self.wanted: dict[str, Any] = {}
        self.rejections: list[tuple[RejectionCode, str | None]] = []
        self.running: str | None = None
        self.paid_with: str | None = None

    @rule(book=strategies.books)
    def the_merchant_changes_the_book(self, book: MerchantBook) -> None:
        self.book = book

    @precondition(lambda self: len(self.stream) % 3 == 0)
    @rule(
        body=strategies.creates,
        expected=strategies.seen,
        drift=strategies.clock,
    )
    def create(self, body: dict[str, Any], expected: str | None, drift: timedelta) -> None:
        self.send(CreateCheckout.parse(body), body, expected, drift)

    @precondition(lambda self: self.checkout)
    @rule(
        body=strategies.updates,
        expected=strategies.seen,
        drift=strategies.clock,
    )
    def update(self, body: dict[str, Any], expected: str | None, drift: timedelta) -> None:
        command = UpdateCheckout.parse(body)
        if self.send(command, body, expected, drift):
            assert decide(self.checkout, command, self.book) == Decision(()), (
                "a repeat changes nothing"
            )

    @precondition(lambda self: self.checkout and len(self.stream) % 5 == 0)
    @rule(
        message=st.none() | st.just("Changed my mind"),
        expected=strategies.seen,
        drift=strategies.clock,
    )
    def cancel(self, message: str | None, expected: str | None, drift: timedelta) -> None:
        self.send(CancelCheckout.parse({"message": message}), {}, expected, drift)

    @precondition(lambda self: self.checkout)
    @rule(
        target=attempts,
        body=strategies.completes,
        expected=strategies.seen,
        drift=strategies.clock,
    )
    def complete(
        self, body: dict[str, Any], expected: str | None, drift: timedelta
    ) -> str | MultipleResults[str]:
        due, status = self.checkout.total, self.checkout.status
        wish = {"buyer": body["buyer"]} if body["buyer"] else {}
        known = body["payment_data"]["provider"] == "stripe"
        accepted = self.send(CompleteCheckout.parse(body), wish, expected, drift)
        assert accepted == (status == "ready_for_payment" and known and expected != "stale")
        if not accepted:
            return multiple()
        told = self.stream[-1].event
        if due == 0:
            assert isinstance(told, CheckoutCompleted)
            self.paid_with = told.payment.id
            return multiple()
        assert isinstance(told, PaymentStarted)
        assert told.amount == due, "neither the buyer nor the book changes what is charged"
        self.running = told.attempt_id
        return told.attempt_id

    @rule(
        attempt_id=attempts,
        payment_id=strategies.payment_ids,
        drift=strategies.clock,
    )
    def a_payment_is_taken(self, attempt_id: str, payment_id: str, drift: timedelta) -> None:
        again = payment_id == self.paid_with
        if self.settle(RecordPayment(attempt_id=attempt_id, payment_id=payment_id), again, drift):
            self.paid_with = payment_id

    @rule(attempt_id=attempts, drift=strategies.clock)
    def a_payment_is_declined(self, attempt_id: str, drift: timedelta) -> None:
        decline = RecordDecline(attempt_id=attempt_id, code="no_funds", message="No funds")
        self.settle(decline, False, drift)

    def send(
        self, command: Command, body: dict[str, Any], expected: str | None, drift: timedelta
    ) -> bool:
        """Carry out a command as a handler would; tell whether it was accepted."""
        version = len(self.stream)
        expects = {None: None, "last": version, "stale": version + 1}[expected]
        was_closed = self.checkout is not None and self.checkout.is_closed
        try:
            events = decide(self.checkout, command, self.book, expects, "lineage1").events
        except Rejection as refused:
            self.rejections.append((refused.code, expected))
            return False
        assert not was_closed, "closed is closed"
        assert self.running is None, "nothing is taken while a payment runs"
        assert expected != "stale"
        self.record(events, drift)
        self.wanted.update(body)
        return True

    def settle(self, command: RecordPayment | RecordDecline, again: bool, drift: timedelta) -> bool:
        """Tell, perhaps late or again, how an attempt ended; whether that ended it."""
        runs = command.attempt_id == self.running
        if not (runs or again):
            assert given.rejection_of(self.checkout, command).code == RejectionCode.ATTEMPT_CLOSED
            return False
        events = decide(self.checkout, command, self.book).events
        assert len(events) == runs, "an attempt ends once"
        self.record(events, drift)
        self.running = None
        return runs

    def record(self, events: tuple[Event, ...], drift: timedelta) -> None:
        at = next_time(self.checkout, given.NOW + drift)
        recorded = record("c1", len(self.stream), at, events, given.METADATA)
        self.stream += recorded
        self.checkout = fold(recorded, self.checkout)

    @invariant()
    def the_version_is_checked_before_the_book_is_asked(self) -> None:
        assert (RejectionCode.INVALID, "stale") not in self.rejections

    @invariant()
    def the_checkout_is_sound(self) -> None:
        if self.checkout:
            assert_sound(self.checkout)

    @invariant()
    def it_holds_what_was_asked_for_last(self) -> None:
        if self.checkout is None:
            return
        shown = render(self.checkout)
        assert [line["item"] for line in shown["line_items"]] == self.wanted["items"]
        assert shown.get("buyer") == self.wanted.get("buyer")
        assert shown.get("fulfillment_address") == self.wanted.get("fulfillment_address")
        if self.checkout.choice:
            assert self.checkout.choice == self.wanted["fulfillment_option_id"]

    @invariant()
    def its_payment_is_the_one_that_was_told(self) -> None:
        if self.checkout is None:
            return
        attempt, payment = self.checkout.attempt, self.checkout.payment
        assert (attempt.attempt_id if attempt else None) == self.running
        assert (payment.id if payment else None) == self.paid_with

    @invariant()
    def nothing_comes_between_a_payment_and_its_end_and_nothing_after_an_order(self) -> None:
        story = "".join(PAYMENT_STEPS.get(told.event.NAME, "-") for told in self.stream)
        assert re.fullmatch("(-|SD)*(S?C|S)?", story)

    @invariant()
    def no_attempt_is_named_as_another(self) -> None:
        started = [told.event for told in self.stream if isinstance(told.event, PaymentStarted)]
        assert len({event.attempt_id for event in started}) == len(started)

    @invariant()
    def an_order_is_told_as_it_is_shown(self) -> None:
        told = self.stream[-1].event if self.stream else None
        if self.checkout and isinstance(told, CheckoutCompleted):
            assert told.checkout.model_dump(mode="json") == render(self.checkout)

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
TestAnySequence.settings = settings(max_examples=200, stateful_step_count=25, deadline=None)
