"""`make check` separates compatible changes of a published schema from breaking ones."""

import copy
import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from services.messages.message_schemas import message_schemas
from services.messages.schema_export import export
from tests.published.__main__ import main
from tests.published.check import SCHEMAS, findings
from tests.published.compatibility import differences

ROOT = Path(__file__).parents[3]
ITEMS = "events/ItemsUpdated.1.json"
ACCEPTED = "replies/CommandAccepted.json"
CREATE = "commands/CreateCheckout.json"


def at(schema, path):
    for step in path.split("."):
        schema = schema[step]
    return schema


def added(where, required=False, **schema):
    def change(root):
        owner = at(root, where)
        owner["properties"]["note"] = schema
        owner["required"] = owner.get("required", []) + (["note"] if required else [])

    return change


def removed(where, name):
    def change(root):
        owner = at(root, where)
        del owner["properties"][name]
        owner["required"] = [it for it in owner.get("required", []) if it != name]

    return change


def optional(where, name):
    return lambda root: at(root, where)["required"].remove(name)


def required(where, name):
    return lambda root: at(root, where)["required"].append(name)


def put(where, **keywords):
    return lambda root: at(root, where).update(keywords)


def dropped(where, keyword):
    return lambda root: at(root, where).pop(keyword)


def swapped(where, name, **schema):
    return lambda root: at(root, where)["properties"].update({name: schema})


TEXT = {"type": "string", "minLength": 1, "maxLength": 500}
LINE = "$defs.LineItem"
CHECKOUT = "$defs.Checkout"
STATUSES = ["not_ready_for_payment", "ready_for_payment", "in_progress", "completed", "canceled"]

BREAKS_CONSUMERS = {
    "a field is removed": (ITEMS, removed(LINE, "tax")),
    "an optional field is removed": (ACCEPTED, removed(CHECKOUT, "order_id")),
    "a field's type changes": (ITEMS, swapped(LINE, "tax", type="string")),
    "a field's type widens": (ITEMS, swapped(LINE, "tax", type="number", minimum=0)),
    "a required field becomes optional": (ITEMS, optional(LINE, "tax")),
    "a field may be null": (
        ACCEPTED,
        swapped(CHECKOUT, "order_id", anyOf=[TEXT, {"type": "null"}]),
    ),
    "an enum widens": (ACCEPTED, put("$defs.Status", enum=[*STATUSES, "refunded"])),
    "a const becomes any text": (ACCEPTED, dropped("$defs.Payment.properties.status", "const")),
    "a lower bound sinks": (ITEMS, put(f"{LINE}.properties.tax", minimum=-1)),
    "a length grows": (ITEMS, put(f"{LINE}.properties.id", maxLength=501)),
    "a pattern goes": (ACCEPTED, dropped("properties.checkout_id", "pattern")),
    "a pattern changes": (ACCEPTED, put("properties.checkout_id", pattern="^[a-z]{1,64}$")),
    "a format goes": (ACCEPTED, dropped(f"{CHECKOUT}.properties.canceled_at", "format")),
    "a list becomes one of its items": (
        ITEMS,
        lambda it: it["properties"].update(line_items={"$ref": "#/$defs/LineItem"}),
    ),
}
SPARES_CONSUMERS = {
    "a field is added": (ITEMS, added(LINE, type="string")),
    "a required field is added": (ITEMS, added(LINE, required=True, type="string")),
    "an optional field is always there": (ACCEPTED, required(CHECKOUT, "order_id")),
    "an enum narrows": (ACCEPTED, put("$defs.Status", enum=STATUSES[1:])),
    "a lower bound rises": (ITEMS, put(f"{LINE}.properties.tax", minimum=1)),
    "a length shrinks": (ITEMS, put(f"{LINE}.properties.id", maxLength=64)),
    "a description changes": (ITEMS, put(f"{LINE}.properties.id", description="The item's.")),
}
BREAKS_PUBLISHERS = {
    "a required field is added": (CREATE, added("$defs.Item", required=True, type="string")),
    "an optional field becomes required": (CREATE, required("$defs.Buyer", "phone_number")),
    "a field is removed": (CREATE, removed("$defs.Buyer", "phone_number")),
    "a field's type changes": (CREATE, swapped("$defs.Item", "quantity", type="string")),
    "null is no longer taken": (CREATE, swapped("$defs.Buyer", "phone_number", **TEXT)),
    "a length shrinks": (CREATE, put("$defs.Item.properties.id", maxLength=499)),
    "an upper bound sinks": (CREATE, put("$defs.Item.properties.quantity", maximum=9_999)),
    "a list gets shorter": (CREATE, put("properties.items", maxItems=199)),
    "any text becomes an enum": (CREATE, put("$defs.Item.properties.id", enum=["item_123"])),
    "a pattern comes": (CREATE, put("$defs.Item.properties.id", pattern="^item_")),
    "a format comes": (CREATE, put("$defs.Buyer.properties.email", format="email")),
}
SPARES_PUBLISHERS = {
    "an optional field is added": (CREATE, added("$defs.Item", type="string")),
    "a required field becomes optional": (CREATE, optional("$defs.Buyer", "email")),
    "a field may be null": (
        CREATE,
        swapped("$defs.Buyer", "email", anyOf=[TEXT, {"type": "null"}]),
    ),
    "a length grows": (CREATE, put("$defs.Item.properties.id", maxLength=501)),
    "an upper bound rises": (CREATE, put("$defs.Item.properties.quantity", maximum=10_001)),
    "a bound goes": (CREATE, dropped("properties.items", "maxItems")),
    "a pattern goes": (CREATE, dropped("$defs.Address.properties.country", "pattern")),
    "unknown fields are passed over": (CREATE, dropped("$defs.Buyer", "additionalProperties")),
    "a description changes": (CREATE, put("$defs.Buyer", description="The buyer.")),
}


def after(file, change):
    """The messages, if the code were changed so; `change` alters one schema."""
    messages = copy.deepcopy(message_schemas())
    for message in messages:
        if message.file == file:
            before = copy.deepcopy(message.schema)
            change(message.schema)
            assert message.schema != before
    return messages


def check(messages, published=SCHEMAS):
    return findings(published, messages)


@pytest.mark.parametrize("kind", BREAKS_CONSUMERS)
def test_a_change_that_breaks_consumers_is_found(kind):
    file, change = BREAKS_CONSUMERS[kind]

    [found] = check(after(file, change)).broken

    assert found.startswith(f"{file}: ")
    assert "consumers" in found


@pytest.mark.parametrize("kind", SPARES_CONSUMERS)
def test_a_change_that_consumers_survive_only_puts_the_file_behind(kind):
    file, change = SPARES_CONSUMERS[kind]

    found = check(after(file, change))

    assert found.broken == []
    assert [it for it in found.behind if it.startswith(file) and "make schemas" in it]


@pytest.mark.parametrize("kind", BREAKS_PUBLISHERS)
def test_a_change_that_breaks_publishers_is_found(kind):
    file, change = BREAKS_PUBLISHERS[kind]

    [found] = check(after(file, change)).broken

    assert found.startswith(f"{file}: ")
    assert "publishers" in found


@pytest.mark.parametrize("kind", SPARES_PUBLISHERS)
def test_a_change_that_publishers_survive_only_puts_the_file_behind(kind):
    file, change = SPARES_PUBLISHERS[kind]

    found = check(after(file, change))

    assert found.broken == []
    assert [it for it in found.behind if it.startswith(file) and "make schemas" in it]


def test_what_can_not_be_judged_counts_as_a_break():
    the_same_in_other_words = put("$defs.Address.properties.country", pattern="^[A-Z][A-Z]$")

    assert check(after(CREATE, the_same_in_other_words)).broken


def test_a_break_names_the_field_and_the_way_out():
    [event] = check(after(ITEMS, put(f"{LINE}.properties.tax", minimum=-1))).broken
    [command] = check(after(CREATE, put("$defs.Item.properties.quantity", maximum=9))).broken

    assert "line_items.items.properties.tax.minimum: was 0, is -1" in event
    assert "SCHEMA_VERSION = 2" in event
    assert "items.items.properties.quantity.maximum: was 10000, is 9" in command
    assert "a type of another name" in command


def test_a_message_that_is_gone_is_a_break():
    kept = [message for message in message_schemas() if message.file != ITEMS]

    [found] = check(kept).broken

    assert found.startswith(f"{ITEMS} is published, and the message is gone")


def test_a_new_version_beside_the_old_one_breaks_nothing():
    messages = message_schemas()
    [items] = [message for message in messages if message.file == ITEMS]
    second = replace(items, file="events/ItemsUpdated.2.json", schema={"type": "object"})

    found = check([*messages, second])

    assert found.broken == []
    [behind] = found.behind
    assert behind.startswith("events/ItemsUpdated.2.json is not published yet")


def test_words_for_people_are_no_difference_but_a_field_named_like_one_is():
    old = {"title": "A", "properties": {"title": {"type": "string", "description": "Of a way."}}}
    new = {"title": "B", "properties": {"title": {"type": "integer"}}}

    assert differences(old, new) == ['properties.title.type: was "string", is "integer"']


def test_what_is_published_is_what_the_code_says(tmp_path):
    export(tmp_path)

    assert check(message_schemas()).broken == check(message_schemas()).behind == []
    for written in tmp_path.rglob("*.json"):
        assert (SCHEMAS / written.relative_to(tmp_path)).read_bytes() == written.read_bytes()


def test_make_check_runs_it_and_make_schemas_renews():
    def recipe(target):
        printed = subprocess.run(
            ["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=True
        )
        return printed.stdout.splitlines()

    assert any(line.endswith("python -m tests.published") for line in recipe("check"))
    assert any(line.endswith("python -m tests.published --renew") for line in recipe("schemas"))


def test_a_published_schema_that_the_code_has_left_fails_the_check_and_is_not_renewed(
    tmp_path, monkeypatch, capsys
):
    export(tmp_path)
    published = tmp_path / CREATE
    schema = json.loads(published.read_bytes())
    schema["$defs"]["Item"]["properties"]["quantity"]["maximum"] = 20_000
    published.write_text(json.dumps(schema))
    monkeypatch.setattr("tests.published.__main__.SCHEMAS", tmp_path)

    statuses = main(renew=False), main(renew=True)

    assert statuses == (1, 1)
    assert "was 20000, is 10000" in capsys.readouterr().err
    assert json.loads(published.read_bytes()) == schema


def test_a_published_schema_that_is_behind_fails_the_check_until_it_is_renewed(
    tmp_path, monkeypatch, capsys
):
    export(tmp_path)
    (tmp_path / ITEMS).unlink()
    monkeypatch.setattr("tests.published.__main__.SCHEMAS", tmp_path)

    assert main(renew=False) == 1
    assert "make schemas" in capsys.readouterr().err
    assert main(renew=True) == 0
    assert main(renew=False) == 0
