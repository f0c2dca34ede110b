"""What a complete takes, and that the token it brings shows up nowhere else."""

import pytest

from domain.commands import COMMANDS, CompleteCheckout, RecordDecline, RecordPayment
from domain.rejection import RejectionCode
from domain.values import Buyer
from projections.checkout_view import render
from tests.domain.given import ADA, BOB, CALIFORNIA, after, ask, ready, rejection_to_parse
from tests.domain.payments import PAYMENT_DATA, completing, taken
from tests.domain.test_bounds import NO_TEXTS

FULL = {**PAYMENT_DATA, "billing_address": CALIFORNIA}


def assert_refused(body, param):
    rejection = rejection_to_parse(CompleteCheckout, body)
    assert (rejection.code, rejection.param) == (RejectionCode.INVALID, param)
    assert rejection.message


def test_a_token_a_provider_a_billing_address_and_a_buyer_are_taken():
    body = {"payment_data": FULL, "buyer": BOB}

    assert CompleteCheckout.parse(body).model_dump(mode="json") == body


def test_billing_address_and_buyer_may_be_absent_or_null():
    nulls = {"payment_data": {**PAYMENT_DATA, "billing_address": None}, "buyer": None}

    assert CompleteCheckout.parse(nulls) == completing()


@pytest.mark.parametrize("field", ["token", "provider"])
def test_token_and_provider_have_1_to_500_characters(field):
    for text in ("x", "\N{SNOWMAN}" * 500):
        parsed = completing(payment_data={**PAYMENT_DATA, field: text})
        assert getattr(parsed.payment_data, field) == text
    for text in [*NO_TEXTS, None]:
        assert_refused({"payment_data": {**FULL, field: text}}, f"$.payment_data.{field}")


def test_payment_data_with_its_token_and_provider_is_required():
    assert_refused({}, "$.payment_data")
    assert_refused({"buyer": ADA}, "$.payment_data")
    assert_refused({"payment_data": {"provider": "stripe"}}, "$.payment_data.token")
    assert_refused({"payment_data": {"token": "spt_secret"}}, "$.payment_data.provider")


@pytest.mark.parametrize("value", [None, "spt_secret", 1, True, [PAYMENT_DATA]], ids=repr)
def test_payment_data_is_an_object(value):
    assert_refused({"payment_data": value}, "$.payment_data")


def test_an_unknown_field_is_refused_by_its_path():
    assert_refused({"payment_data": {**FULL, "card": "4242"}}, "$.payment_data.card")
    assert_refused({"payment_data": FULL, "coupon": "x"}, "$.coupon")
    with_district = {**FULL, "billing_address": {**CALIFORNIA, "district": "9"}}
    assert_refused({"payment_data": with_district}, "$.payment_data.billing_address.district")


def test_the_billing_address_and_the_buyer_are_bounded_as_anywhere():
    nowhere = {**FULL, "billing_address": {**CALIFORNIA, "country": "us"}}

    assert_refused({"payment_data": nowhere}, "$.payment_data.billing_address.country")
    assert_refused({"payment_data": FULL, "buyer": {**ADA, "email": ""}}, "$.buyer.email")
    assert completing(buyer=ADA).buyer == Buyer.model_validate(ADA)


def test_the_command_can_be_printed_without_giving_its_token_away():
    command = completing()

    for text in (repr(command), str(command), repr(command.payment_data), f"{[command]}"):
        assert "spt_secret" not in text
        assert "stripe" in text


def test_no_rejection_gives_the_token_away():
    secret = "spt_secret" * 51

    rejection = rejection_to_parse(CompleteCheckout, {"payment_data": {**FULL, "token": secret}})

    assert "spt_secret" not in f"{rejection!r} {rejection} {rejection.param}"


@pytest.mark.parametrize("buyer", [None, ADA])
def test_neither_an_event_nor_the_view_holds_the_token(buyer):
    stream = ask(ready(), completing(payment_data=FULL, buyer=buyer))
    paying = after(ready(), stream)
    stream += ask(paying, taken(paying))

    assert [recorded.event.NAME for recorded in stream[-2:]] == [
        "PaymentStarted",
        "CheckoutCompleted",
    ]
    for recorded in stream:
        assert "spt_secret" not in repr(recorded)
        assert "spt_secret" not in recorded.event.model_dump_json()
    assert "spt_secret" not in str(render(paying))


def test_a_billing_address_is_for_the_provider_and_not_for_the_checkout():
    elsewhere = {**PAYMENT_DATA, "billing_address": {**CALIFORNIA, "city": "Elsewhere"}}

    stream = ask(ready(), completing(payment_data=elsewhere))

    assert "Elsewhere" not in repr(stream) + str(render(after(ready(), stream)))


def test_no_door_takes_the_end_of_a_payment():
    assert COMMANDS.keys() == {
        "CreateCheckout",
        "UpdateCheckout",
        "CompleteCheckout",
        "CancelCheckout",
    }
    assert not {RecordPayment, RecordDecline} & set(COMMANDS.values())
