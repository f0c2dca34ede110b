"""`checkout send` publishes a command on Kafka and prints its reply."""

import json

import pytest

from tests.example_files import EXAMPLES, example
from tests.services.command_line import checkout
from tests.system.kafka_user import new_id

CREATE = EXAMPLES / "create.request.json"


@pytest.fixture
def send(dev):
    def run(*arguments, text=None):
        return checkout("send", *arguments, text=text, CHECKOUT_KAFKA_BOOTSTRAP_SERVERS=dev.kafka)

    return run


def test_an_accepted_command_prints_the_checkout_and_exits_with_0(send):
    checkout_id = new_id()

    ended = send("CreateCheckout", checkout_id, "--data", CREATE)

    assert (ended.returncode, ended.stderr) == (0, "")
    first, _, rest = ended.stdout.partition("\n")
    assert first == "checkout.CommandAccepted"
    assert json.loads(rest)["checkout"] == example("create.response") | {"id": checkout_id}


def test_json_output_is_one_line(send):
    ended = send("CreateCheckout", new_id(), "--data", CREATE, "--json")

    [line] = ended.stdout.splitlines()
    reply = json.loads(line)
    assert reply["type"] == "checkout.CommandAccepted"
    assert reply["data"]["checkout"]["status"] == "ready_for_payment"


def test_a_rejected_command_prints_the_error_and_exits_with_1(send):
    ended = send("CancelCheckout", new_id(), "--json")

    assert ended.returncode == 1
    reply = json.loads(ended.stdout)
    assert reply["type"] == "checkout.CommandRejected"
    assert reply["data"]["error"]["code"] == "not_found"


def test_the_body_may_come_from_stdin_and_the_type_may_have_its_prefix(send):
    body = json.dumps({"items": [{"id": "item_456", "quantity": 7}]})

    ended = send("checkout.CreateCheckout", new_id(), "--data", "-", "--json", text=body)

    assert ended.returncode == 0
    [line_item] = json.loads(ended.stdout)["data"]["checkout"]["line_items"]
    assert line_item["item"] == {"id": "item_456", "quantity": 7}


def test_a_repeated_identity_gets_the_first_reply(send):
    command = ["CreateCheckout", new_id(), "--data", CREATE, "--json"]
    identity = ["--command-id", new_id(), "--source", "/tests/send"]

    first, second = send(*command, *identity), send(*command, *identity)

    assert (first.returncode, second.returncode) == (0, 0)
    assert json.loads(first.stdout) == json.loads(second.stdout)
    data = json.loads(first.stdout)["data"]
    assert [data["command_id"], data["command_source"]] == [identity[1], identity[3]]


def test_a_stale_expected_version_is_rejected(send):
    checkout_id = new_id()
    created = json.loads(send("CreateCheckout", checkout_id, "--data", CREATE, "--json").stdout)
    seen = created["data"]["version"]

    stale = send("CancelCheckout", checkout_id, "--expected-version", seen - 1, "--json")
    right = send("CancelCheckout", checkout_id, "--expected-version", seen, "--json")

    assert stale.returncode == 1
    assert json.loads(stale.stdout)["data"]["error"]["code"] == "version_mismatch"
    assert right.returncode == 0


@pytest.mark.parametrize(("command_type", "body"), [("Nonsense", "{}"), ("CancelCheckout", "{")])
def test_an_invalid_command_is_rejected(send, command_type, body):
    ended = send(command_type, new_id(), "--data", "-", "--json", text=body)

    assert ended.returncode == 1
    assert json.loads(ended.stdout)["data"]["error"]["code"] == "invalid"


def test_send_fails_without_a_reply_in_time(send):
    ended = send("CancelCheckout", new_id(), "--wait", "0")

    assert (ended.returncode, ended.stdout) == (1, "")
    assert "no reply within 0 s" in ended.stderr
