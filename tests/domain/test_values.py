import pytest
from pydantic import TypeAdapter, ValidationError

from domain.commands import CancelCheckout
from domain.events import FulfillmentAddressUpdated
from domain.values import STORED, CheckoutId, Item
from tests.domain.given import MUG, ask, created

CHECKOUT_ID = TypeAdapter(CheckoutId)
FROM_A_LOST_COUNTRY = {
    "fulfillment_address": {
        "name": "Ada King",
        "line_one": "1 Main St",
        "city": "Willemstad",
        "state": "CW",
        "country": "AN",
        "postal_code": "1",
    }
}


@pytest.mark.parametrize("checkout_id", ["c", "checkout_abc-123", "Z" * 64])
def test_a_checkouts_id_is_of_letters_digits_dash_and_underscore(checkout_id):
    assert CHECKOUT_ID.validate_python(checkout_id) == checkout_id


@pytest.mark.parametrize("checkout_id", ["", "Z" * 65, "a b", "a.b", "a/b", "\u00e4", "a\n", 1])
def test_nothing_else_is_a_checkouts_id(checkout_id):
    with pytest.raises(ValidationError):
        CHECKOUT_ID.validate_python(checkout_id)


def test_a_value_can_not_be_changed():
    mug = Item.model_validate(MUG[0])

    with pytest.raises(ValidationError, match="frozen"):
        mug.quantity = 2


def test_a_country_that_was_one_when_it_was_stored_stays_readable():
    stored = FulfillmentAddressUpdated.model_validate(FROM_A_LOST_COUNTRY, context=STORED)

    assert stored.model_dump(mode="json") == FROM_A_LOST_COUNTRY
    with pytest.raises(ValidationError):
        FulfillmentAddressUpdated.model_validate(FROM_A_LOST_COUNTRY)


def test_a_recorded_event_is_known_by_its_checkout_and_version():
    (recorded,) = ask(created(), CancelCheckout.parse({}))

    assert (recorded.originator_id, recorded.originator_version) == ("c1", 4)
