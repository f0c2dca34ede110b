"""`/openapi.json` is whole, and true to the domain. Whether answers are as it says: the next file."""

import json
from pathlib import Path

import httpx
import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from domain.commands import COMMANDS, CancelCheckout, CreateCheckout, UpdateCheckout
from domain.rejection import Rejection, RejectionCode
from projections.checkout_view import render
from services.http_api.app import ApiDependencies, HttpApi
from services.kafka.topics import Topics
from services.messages.errors import flat_error
from tests.domain.given import ADA, BERLIN, CALIFORNIA, MUG, PARIS, after, ask, item
from tests.services.served_documents import examples_of, faults, follow, operations, parts, resolve

EXAMPLES = Path(__file__).parents[2] / "examples"
WRITES = ["create_checkout", "update_checkout", "complete_checkout", "cancel_checkout"]
STATUSES = {
    "create_checkout": "201 202 400 401 403 409 412 413 415 422 500 503",
    "list_checkouts": "200 400 401 403 500 503",
    "get_checkout": "200 304 400 401 403 404 500 503",
    "list_events": "200 400 401 403 404 500 503",
    "update_checkout": "200 202 400 401 403 404 409 412 413 415 422 500 503",
    "complete_checkout": "200 202 400 401 402 403 404 409 412 413 415 422 500 503",
    "cancel_checkout": "200 202 400 401 403 404 405 409 412 413 415 422 500 503",
}
READ_PARAMETERS = {
    "list_checkouts": {
        *("status", "buyer_email", "created_after", "created_before", "limit", "cursor")
    },
    "get_checkout": {"If-None-Match", "version", "at"},
    "list_events": {"after", "limit"},
}
CODES = {
    "400": ["invalid"],
    "401": ["unauthorized"],
    "402": ["payment_declined"],
    "403": ["forbidden"],
    "404": ["not_found"],
    "405": ["not_cancelable"],
    "412": ["version_mismatch"],
    "413": ["too_large"],
    "415": ["unsupported_media_type"],
    "422": ["idempotency_conflict"],
    "500": ["internal"],
    "503": ["service_unavailable"],
}
CONFLICTS = {
    "create_checkout": ["already_exists"],
    "update_checkout": ["checkout_closed", "in_progress"],
    "complete_checkout": ["idempotency_in_flight", "checkout_closed", "in_progress", "not_ready"],
    "cancel_checkout": ["in_progress"],
}


def checkout_after(*bodies, canceled=False):
    checkout = after(None, ask(None, CreateCheckout.parse(bodies[0])))
    for body in bodies[1:]:
        checkout = after(checkout, ask(checkout, UpdateCheckout.parse(body)))
    return after(checkout, ask(checkout, CancelCheckout())) if canceled else checkout


CHECKOUTS = {
    "with nothing but an item": checkout_after({"items": MUG}),
    "that is ready": checkout_after(
        {"items": [item("pen", 3)], "buyer": ADA, "fulfillment_address": CALIFORNIA}
    ),
    "whose option was replaced": checkout_after(
        {"items": MUG, "fulfillment_address": CALIFORNIA, "fulfillment_option_id": "ground"},
        {"fulfillment_address": BERLIN},
    ),
    "that can't be shipped": checkout_after({"items": MUG, "fulfillment_address": PARIS}),
    "with an empty cart": checkout_after({"items": MUG}, {"items": []}),
    "that is canceled": checkout_after({"items": MUG, "buyer": ADA}, canceled=True),
}


def app():
    return HttpApi(ApiDependencies(None, None, None, None, None, None, Topics(), {}))


@pytest.fixture(scope="module")
def document():
    return app().openapi()


def test_the_document_is_openapi_3_1_without_a_dangling_reference(document):
    OpenAPIV31SpecValidator(document).validate()

    assert document["openapi"].startswith("3.1.")
    for part in parts(document):
        if "$ref" in part:
            resolve(document, part["$ref"])
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


async def test_it_is_served_and_written_once(document):
    served = app()
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(served), base_url="http://shop"
    ) as client:
        assert (await client.get("/openapi.json")).json() == document
    assert served.openapi() is served.openapi()


def test_every_route_has_its_answers_told(document):
    assert operations(document).keys() == {*STATUSES, "healthz", "readyz", "metrics"}


@pytest.mark.parametrize("operation_id", STATUSES)
def test_a_call_lists_the_statuses_it_can_answer_with_their_codes(document, operation_id):
    responses = operations(document)[operation_id]["responses"]
    assert list(responses) == STATUSES[operation_id].split()
    for status, response in responses.items():
        if status >= "400":
            codes = CONFLICTS[operation_id] if status == "409" else CODES[status]
            assert list(response["content"]["application/json"]["examples"]) == codes
            assert all(f"`{code}`" in response["description"] for code in codes)


def test_no_framework_error_is_documented(document):
    assert "ValidationError" not in json.dumps(document)


def test_every_example_is_valid(document):
    checked = 0
    for operation in operations(document).values():
        for part in [operation.get("requestBody", {}), *operation["responses"].values()]:
            for schema, example in examples_of(part):
                assert faults(document, schema, example) == []
                checked += 1
    for part in [*document["components"]["parameters"].values()]:
        assert faults(document, part["schema"], part["example"]) == []
    assert checked > len(STATUSES) * 5


@pytest.mark.parametrize("name", ["create", "update", "cancel"])
def test_the_examples_are_the_ones_the_service_was_asked_for_with(document, name):
    operation = operations(document)[f"{name}_checkout"]
    success = next(iter(operation["responses"].values()))

    [(_, request)] = examples_of(operation["requestBody"])
    [(_, answer)] = examples_of(success)

    assert request == json.loads((EXAMPLES / f"{name}.request.json").read_bytes())
    assert answer == json.loads((EXAMPLES / f"{name}.response.json").read_bytes())


@pytest.mark.parametrize("checkout", CHECKOUTS.values(), ids=CHECKOUTS)
def test_a_rendered_checkout_is_of_the_schema(document, checkout):
    assert faults(document, {"$ref": "#/components/schemas/Checkout"}, render(checkout)) == []


@pytest.mark.parametrize("change", [{"coupon": "SPRING"}, {"buyer": None}, {"status": "lost"}])
def test_what_is_no_checkout_is_not_of_the_schema(document, change):
    view = render(CHECKOUTS["that is ready"]) | change

    assert faults(document, {"$ref": "#/components/schemas/Checkout"}, view)


@pytest.mark.parametrize("code", RejectionCode)
def test_every_rejection_is_of_the_error_schema(document, code):
    error = flat_error(Rejection(code, "why", "$.items"))

    assert faults(document, {"$ref": "#/components/schemas/Error"}, error) == []
    assert faults(document, {"$ref": "#/components/schemas/Error"}, error | {"trace": "…"})


def test_an_update_may_clear_all_but_the_items(document):
    schema = {"$ref": "#/components/schemas/UpdateCheckout"}

    assert faults(document, schema, {"items": None})
    assert faults(document, schema, {"items": []}) == []
    for field in ("buyer", "fulfillment_address", "fulfillment_option_id"):
        assert faults(document, schema, {field: None}) == []


@pytest.mark.parametrize("name", COMMANDS)
def test_no_field_of_a_command_has_a_default_that_a_client_would_fill_in(document, name):
    assert not any("default" in part for part in parts(document["components"]["schemas"][name]))


def test_only_a_cancels_body_is_optional(document):
    required = {name: operations(document)[name]["requestBody"]["required"] for name in WRITES}

    assert [name for name in WRITES if not required[name]] == ["cancel_checkout"]


@pytest.mark.parametrize("operation_id", STATUSES)
def test_a_call_names_the_scope_it_needs(document, operation_id):
    scope = "checkouts:write" if operation_id in WRITES else "checkouts:read"

    [security] = operations(document)[operation_id]["security"]

    assert list(security.values()) == [[scope]]
    assert security.keys() == document["components"]["securitySchemes"].keys()


@pytest.mark.parametrize("operation_id", STATUSES)
def test_a_call_names_the_headers_and_query_parameters_it_reads(document, operation_id):
    read = READ_PARAMETERS.get(operation_id, set())
    own = {"Idempotency-Key", "If-Match"} if operation_id in WRITES else read
    listed = operations(document)[operation_id]["parameters"]

    names = {follow(document, parameter)["name"] for parameter in listed}

    assert names - {"checkout_id", "traceparent"} == {"Request-Id"} | own


@pytest.mark.parametrize("operation_id", [*WRITES, "get_checkout"])
def test_a_checkout_that_is_shown_links_to_all_that_can_follow(document, operation_id):
    shown = [
        response
        for status, response in operations(document)[operation_id]["responses"].items()
        if status in {"200", "201", "202"}
    ]

    for response in shown:
        links = [follow(document, link) for link in response["links"].values()]
        assert {link["operationId"] for link in links} == STATUSES.keys() - {"create_checkout"}
        for link in links:
            taken = operations(document)[link["operationId"]]["parameters"]
            known = [follow(document, it) for it in taken]
            names = {it["name"] for it in known} | {f"{it['in']}.{it['name']}" for it in known}
            assert link["parameters"].keys() <= names


def test_an_idempotency_key_is_told_as_it_is_judged_and_any_request_id_is_taken(document):
    def judged(name, value):
        return faults(document, document["components"]["parameters"][name]["schema"], value)

    for key in ("", "k" * 256, "a\tb", "\x7f", "a\nb"):
        assert judged("Idempotency-Key", key)
    for key in ("k", "k" * 255, "Grüße ✓"):
        assert judged("Idempotency-Key", key) == []
    assert judged("Request-Id", "not visible \u00e9") == []
