"""`checkout schemas export`: files by which others check what they send and what they get."""

import json
import stat
from pathlib import Path

import jsonschema_rs
import pytest

from domain.commands import COMMANDS
from domain.events import PUBLISHED_EVENTS
from services.kafka.topics import Topics
from services.messages.asyncapi import asyncapi_document
from services.messages.event_messages import event_message
from services.messages.scenario import scenario
from tests.services.command_line import checkout

MESSAGES = asyncapi_document(Topics())["components"]["messages"]
WITH_A_SCHEMA = [name for name in MESSAGES if name != "DeadLetter"]
REPLIES = ["CommandAccepted", "CommandRejected"]


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    directory = tmp_path_factory.mktemp("export") / "not" / "there"
    ended = checkout("schemas", "export", directory)
    assert (ended.returncode, ended.stderr) == (0, "")
    return directory


def read(path):
    return json.loads(path.read_bytes())


def contents(directory):
    return {path.relative_to(directory): path.read_bytes() for path in directory.rglob("*.json")}


def file_of(directory, message_type, schema_id=None):
    """As a consumer finds it: by the message's headers, in the index."""
    [file] = [
        entry["file"]
        for entry in read(directory / "index.json")["schemas"]
        if entry["type"] == message_type and schema_id in (None, entry["id"])
    ]
    return directory / file


def test_there_is_a_file_for_each_message_by_a_stable_name(exported):
    written = {str(path) for path in contents(exported)}

    assert written == {
        *(f"commands/{name}.json" for name in COMMANDS),
        *(
            f"events/{event.NAME}.{event.SCHEMA_VERSION}.json"
            for event in PUBLISHED_EVENTS.values()
        ),
        *(f"replies/{name}.json" for name in REPLIES),
        "index.json",
    }


def test_each_file_is_self_contained(exported):
    for entry in read(exported / "index.json")["schemas"]:
        schema = read(exported / entry["file"])
        assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        assert schema["$id"] == entry["id"]
        assert entry["type"] == f"checkout.{schema['title']}"
        jsonschema_rs.meta.validate(schema)
        # It would raise for a reference that the file itself doesn't resolve.
        jsonschema_rs.validator_for(schema, offline=True)


@pytest.mark.parametrize("name", WITH_A_SCHEMA)
def test_the_example_of_a_message_matches_its_schema(exported, name):
    [example] = MESSAGES[name]["examples"]

    headers = example["headers"]
    schema = read(file_of(exported, headers["ce_type"], headers.get("ce_dataschema")))

    jsonschema_rs.validate(schema, example["payload"])
    for field in example["payload"]:
        assert not jsonschema_rs.is_valid(schema, {**example["payload"], field: [True]})


def test_an_event_as_sent_matches_the_schema_that_its_headers_name(exported):
    sent = [
        event_message("checkout.events", recorded)
        for step in scenario().values()
        for recorded in step.events
    ]

    for message in sent:
        headers = {name: value.decode() for name, value in message.headers}
        schema = read(file_of(exported, headers["ce_type"], headers["ce_dataschema"]))
        assert schema["$id"] == headers["ce_dataschema"]
        jsonschema_rs.validate(schema, json.loads(message.value))


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("CreateCheckout", {"items": []}),
        ("CreateCheckout", {"items": [{"id": "item_123", "quantity": 1}] * 2}),
        ("CreateCheckout", {}),
        ("UpdateCheckout", {"items": None}),
        ("UpdateCheckout", {"coupon": "SPRING"}),
        ("CompleteCheckout", {"payment_data": {"token": "spt_123"}}),
        ("CancelCheckout", {"reason": ""}),
    ],
)
def test_a_body_that_would_be_rejected_for_its_shape_does_not_match_the_commands_schema(
    exported, name, body
):
    schema = read(exported / "commands" / f"{name}.json")

    assert not jsonschema_rs.is_valid(schema, body)


@pytest.mark.parametrize("name", [name for name in WITH_A_SCHEMA if name not in COMMANDS])
def test_a_field_that_is_added_later_is_valid_for_consumers(exported, name):
    [example] = MESSAGES[name]["examples"]
    headers = example["headers"]
    schema = read(file_of(exported, headers["ce_type"], headers.get("ce_dataschema")))

    jsonschema_rs.validate(schema, {**example["payload"], "added_later": 1})


def test_a_script_gets_the_paths_as_json(tmp_path):
    written = json.loads(checkout("schemas", "export", tmp_path, "--json").stdout)

    assert {Path(path).relative_to(tmp_path) for path in written} == contents(tmp_path).keys()


def test_a_person_gets_a_path_a_line(tmp_path):
    lines = checkout("schemas", "export", tmp_path).stdout.splitlines()

    assert {Path(line).relative_to(tmp_path) for line in lines} == contents(tmp_path).keys()


def test_an_export_again_replaces_its_own_files_and_leaves_the_others(tmp_path):
    checkout("schemas", "export", tmp_path)
    first = contents(tmp_path)
    old = tmp_path / "events" / "ItemsUpdated.1.json"
    old.write_text(json.dumps(read(old) | {"type": "array"}))
    mine = tmp_path / "events" / "mine.json"
    mine.write_text("[]")

    ended = checkout("schemas", "export", tmp_path)

    assert ended.returncode == 0
    assert mine.read_text() == "[]"
    mine.unlink()
    assert contents(tmp_path) == first
    assert not [path for path in tmp_path.rglob("*") if path.name.startswith(".")]


@pytest.mark.parametrize(
    ("name", "text"),
    [("index.json", "[]"), ("replies/CommandAccepted.json", '{"$comment": "mine"}')],
)
def test_a_foreign_file_stops_the_export_before_anything_is_written(tmp_path, name, text):
    theirs = tmp_path / name
    theirs.parent.mkdir(exist_ok=True)
    theirs.write_text(text)

    ended = checkout("schemas", "export", tmp_path)

    assert ended.returncode == 1
    assert f"{theirs} was not written by an export" in ended.stderr
    assert contents(tmp_path) == {Path(name): text.encode()}


def test_a_dangling_link_is_a_foreign_file(tmp_path):
    link = tmp_path / "index.json"
    link.symlink_to("nowhere")

    ended = checkout("schemas", "export", tmp_path)

    assert ended.returncode == 1
    assert link.is_symlink()


def test_a_file_is_no_directory_to_export_to(tmp_path):
    file = tmp_path / "file"
    file.touch()

    ended = checkout("schemas", "export", file)

    assert ended.returncode == 2
    assert "is a file" in ended.stderr


def test_others_may_read_what_is_written(exported):
    assert (exported / "index.json").stat().st_mode & stat.S_IROTH


def test_the_help_says_what_is_written():
    text = checkout("schemas", "export", "--help").stdout

    assert "DIR" in text
    assert "never touched" in text
