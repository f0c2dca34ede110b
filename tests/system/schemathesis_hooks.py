"""What schemathesis can't know by the document: the demo book's items, and what that book may refuse."""

import itertools
import re

import schemathesis

EXAMPLE_KEYS = ("5f8a2c1e-update-1",)
KNOWN_ITEMS = ("item_123", "item_456")
_ITEMS_AND_SHIPPING = (
    r"\$\.items(\[\d+\]\.id)?|\$\.fulfillment_option_id|\$\.fulfillment_address\.country"
)
BY_THE_BOOK = {
    "list_checkouts": r"\$\.cursor",
    "get_checkout": r"\$\.at",
    "create_checkout": _ITEMS_AND_SHIPPING,
    "update_checkout": _ITEMS_AND_SHIPPING,
    "complete_checkout": r"\$\.payment_data\.(provider|billing_address\.country)",
}
SEVERAL_TAGS = r"\$\['If-Match'\]"
NOT_UTF_8 = r"\$\['Idempotency-Key'\]"
"""Headers are drawn in Latin-1, of which what is no ASCII is hardly ever UTF-8."""
NO_INTEGER = r"\$\.items\[\d+\]\.quantity"
"""3.0 is an integer by JSON Schema, and by the contract is not."""

counted = itertools.count()
created = []


@schemathesis.hook
def before_call(context, case, kwargs):
    """What is of the schema gets the names of things that there are, where it is short and at every
    other turn: of anything else than rejections, chance would make little.
    """
    if not _is_of_the_schema(case):
        return
    turn = next(counted)
    if case.headers.get("Idempotency-Key") in EXAMPLE_KEYS:
        case.headers["Idempotency-Key"] += f"-{turn // 2}"
    if turn % 2:
        case.query.pop("at", None)
        if created and case.path_parameters.get("checkout_id", created[0]) not in created:
            case.path_parameters["checkout_id"] = created[-1 - turn % min(len(created), 5)]
    if isinstance(case.body, dict):
        _name_what_there_is(case.body)


@schemathesis.hook
def after_call(context, case, response):
    """Remember the checkouts."""
    if response.status_code == 201:
        created.append(response.json()["id"])


@schemathesis.check
def a_request_of_the_schema_is_refused_by_the_book_alone(ctx, response, case):
    """A 400 to a request of the schema names a field whose value no schema can judge."""
    if response.status_code != 400 or not _is_of_the_schema(case):
        return
    param = response.json().get("param", "")
    allowed = [SEVERAL_TAGS, BY_THE_BOOK.get(case.operation.definition.raw["operationId"], "-")]
    if not case.headers.get("Idempotency-Key", "").isascii():
        allowed.append(NOT_UTF_8)
    if isinstance(case.body, dict):
        quantities = [item["quantity"] for item in case.body.get("items") or ()]
        allowed += [NO_INTEGER] if any(isinstance(it, float) for it in quantities) else []
    assert re.fullmatch("|".join(allowed), param), f"{param} is of the schema: {response.text}"


def _name_what_there_is(body):
    items = body.get("items") or ()
    if len(items) <= len(KNOWN_ITEMS):
        for item, known in zip(items, KNOWN_ITEMS, strict=False):
            item["id"] = known
    if not body.get("fulfillment_address"):
        # Without an address no option is on offer.
        body.pop("fulfillment_option_id", None)
    payment = body.get("payment_data")
    if payment:
        payment["provider"] = "stripe"
        if len(payment["token"]) < 10:
            payment["token"] = "spt_123"


def _is_of_the_schema(case):
    return case.meta is not None and case.meta.generation.mode.is_positive
