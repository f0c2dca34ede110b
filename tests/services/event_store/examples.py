"""One event of each topic that was ever written, with every field it can have, as this build reads it."""

from __future__ import annotations

from domain.checkout_view import CheckoutView
from domain.events import (
    BuyerUpdated,
    CheckoutCanceled,
    CheckoutCompleted,
    CheckoutCreated,
    CheckoutPriced,
    CheckoutPricedV2,
    FulfillmentAddressUpdated,
    FulfillmentOptionSelected,
    ItemsUpdated,
    PaymentDeclined,
    PaymentStarted,
    PaymentStartedV2,
)
from domain.values import (
    STORED,
    Address,
    Buyer,
    FulfillmentOption,
    Item,
    LineItem,
    Link,
    Message,
    Payment,
    PaymentProvider,
    Status,
    Total,
)
from tests.services.event_store.samples import event

_PRICED_1 = CheckoutPricedV2(
    fulfillment_options=(
        FulfillmentOption(
            type="shipping",
            id="shipping_fast",
            title="Express Shipping",
            subtitle="2-3 business days",
            carrier="Shipping Co",
            subtotal=150,
            tax=12,
            total=162,
        ),
        FulfillmentOption(
            type="shipping", id="shipping_slow", title="Slow", subtotal=0, tax=0, total=0
        ),
    ),
    fulfillment_option_id="shipping_fast",
    totals=(
        Total(type="subtotal", display_text="Item(s) total", amount=2400),
        Total(type="fulfillment", display_text="Shipping", amount=150),
        Total(type="tax", display_text="Tax", amount=164),
        Total(type="total", display_text="Total", amount=2714),
    ),
    status=Status.READY_FOR_PAYMENT,
    messages=(
        Message(
            type="info",
            code="option_replaced",
            param="$.fulfillment_option_id",
            content="The option that was chosen is not on offer any more.",
        ),
    ),
    order_tax=None,
    choice_ended=None,
)

_EVENTS = (
    CheckoutCreated(
        currency="usd",
        payment_provider=PaymentProvider(
            provider="stripe", supported_payment_methods=("card", "link")
        ),
        links=(
            Link(type="terms_of_use", url="https://shop.example/terms"),
            Link(type="privacy_policy", url="https://shop.example/privacy"),
        ),
    ),
    ItemsUpdated(
        line_items=(
            LineItem(
                id="item_123",
                item=Item(id="item_123", quantity=2),
                base_amount=2000,
                discount=100,
                subtotal=1900,
                tax=152,
                total=2052,
            ),
            LineItem(
                id="item_456",
                item=Item(id="item_456", quantity=1),
                base_amount=500,
                discount=0,
                subtotal=500,
                tax=0,
                total=500,
            ),
        )
    ),
    BuyerUpdated(
        buyer=Buyer(
            first_name="Zoë 🧾",
            last_name='O\'Neil \x00 "Jr."',
            email="zoe@shop.example",
            phone_number="+15552003434",
        )
    ),
    # The Netherlands Antilles, code AN, were a country until 2010: what was accepted stays readable.
    FulfillmentAddressUpdated(
        fulfillment_address=Address.model_validate(
            {
                "name": "Zoë O'Neil",
                "line_one": "1 Breedestraat",
                "line_two": "Punda",
                "city": "Willemstad",
                "state": "Curaçao",
                "country": "AN",
                "postal_code": "0000",
            },
            context=STORED,
        )
    ),
    FulfillmentOptionSelected(fulfillment_option_id="shipping_fast"),
    _PRICED_1,
    CheckoutCanceled(reason="changed_mind", message="no longer needed"),
    PaymentStarted(attempt_id="attempt_1", amount=2714, currency="usd", provider="stripe"),
    PaymentDeclined(attempt_id="attempt_1", code="card_declined", message="Declined. 💳"),
    CheckoutCompleted(
        order_id="order_1",
        payment=Payment(id="pay_1", amount=500, provider="stripe"),
        checkout=CheckoutView(
            id="chk_Golden-1",
            buyer=Buyer(first_name="Zoë", last_name="O'Neil", email="zoe@shop.example"),
            status=Status.COMPLETED,
            currency="usd",
            order_id="order_1",
            payment=Payment(id="pay_1", amount=500, provider="stripe"),
            line_items=(
                LineItem(
                    id="item_456",
                    item=Item(id="item_456", quantity=1),
                    base_amount=500,
                    discount=0,
                    subtotal=500,
                    tax=0,
                    total=500,
                ),
            ),
            # A country of old again, deep inside: it must stay readable there too.
            fulfillment_address=Address.model_validate(
                {
                    "name": "Zoë O'Neil",
                    "line_one": "1 Breedestraat",
                    "city": "Willemstad",
                    "state": "Curaçao",
                    "country": "AN",
                    "postal_code": "0000",
                },
                context=STORED,
            ),
            fulfillment_options=(
                FulfillmentOption(
                    type="shipping", id="shipping_slow", title="Slow", subtotal=0, tax=0, total=0
                ),
            ),
            fulfillment_option_id="shipping_slow",
            totals=(
                Total(type="subtotal", display_text="Subtotal", amount=500),
                Total(type="fulfillment", display_text="Shipping", amount=0),
                Total(type="tax", display_text="Tax", amount=0),
                Total(type="total", display_text="Total", amount=500),
            ),
            messages=(),
            links=(Link(type="terms_of_use", url="https://shop.example/terms"),),
        ),
    ),
    PaymentStartedV2(
        attempt_id="attempt_5f0c2c1a9d3e4b7f8a6d1e2b3c4f5a69_chk_Golden-1_7",
        amount=2714,
        currency="usd",
        provider="stripe",
        lineage="5f0c2c1a9d3e4b7f8a6d1e2b3c4f5a69",
    ),
    _PRICED_1.model_copy(update={"order_tax": 100, "choice_ended": True}),
)

EXAMPLES = {
    CheckoutPriced.topic() if fact is _PRICED_1 else fact.topic(): event(
        "chk_Golden-1", version, fact
    )
    for version, fact in enumerate(_EVENTS, 1)
}
