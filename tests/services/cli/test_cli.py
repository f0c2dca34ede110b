"""The command line: help for each command, and bad usage told by name with exit status 2."""

from importlib.resources import files

import pytest

from services.security.api_keys import Scope, create_key
from services.security.token_encryption import new_key_line
from tests.services.command_line import checkout

COMMANDS = ["dev", "demo", "api", "commands", "relay", "projector", "topics", "send", "keys"]
KEYS_COMMANDS = ["create", "list", "revoke"]
BOOK = files("domain") / "demo_book.toml"


@pytest.mark.parametrize(
    "command", [[], *([c] for c in COMMANDS), *(["keys", c] for c in KEYS_COMMANDS)]
)
def test_each_command_explains_itself(command):
    ended = checkout(*command, "--help")

    assert (ended.returncode, ended.stderr) == (0, "")
    assert " ".join(["Usage: checkout", *command]) in ended.stdout


def test_the_help_names_each_command_with_a_line_about_it():
    told = checkout("--help").stdout

    for command in COMMANDS:
        assert f"│ {command} " in told


def test_without_a_command_it_shows_what_there_is():
    ended = checkout()

    assert ended.returncode == 2
    assert "demo" in ended.stdout + ended.stderr


BAD_USAGE = {
    "an unknown command": (["nonsense"], "nonsense"),
    "an unknown option": (["dev", "--nonsense"], "--nonsense"),
    "a port that is no number": (["dev", "--http-port", "http"], "--http-port"),
    "a port beyond the last": (["dev", "--http-port", "65536"], "--http-port"),
    "an empty key": (["dev", "--api-key", ""], "--api-key"),
    "a key that no header can carry": (["dev", "--api-key", "é"], "--api-key"),
    "a file where a directory belongs": (["dev", "--data", BOOK], "--data"),
    "a command without an id": (["send", "CreateCheckout"], "ID"),
    "an id that no reply could be sent for": (["send", "CreateCheckout", "a b"], "ID"),
    "a file that is not there": (["send", "X", "a", "--data", "/no/such/file"], "--data"),
    "a key without a scope": (["keys", "create", "shop"], "--scope"),
    "a scope that is none": (["keys", "create", "shop", "--scope", "all"], "--scope"),
}


@pytest.mark.parametrize(("arguments", "named"), BAD_USAGE.values(), ids=BAD_USAGE.keys())
def test_bad_usage_is_told_with_what_is_at_fault(arguments, named):
    ended = checkout(*arguments)

    assert ended.returncode == 2
    assert named in ended.stderr
    assert "Traceback" not in ended.stderr


def settings_of(folder):
    """Settings with which each service gets as far as its servers."""
    create_key(folder / "keys.json", "shop", [Scope.READ])
    (folder / "token-keys").write_text(new_key_line("k1"))
    return {
        "CHECKOUT_EVENT_STORE_URL": f"sqlite:///{folder / 'events.db'}",
        "CHECKOUT_REDIS_URL": "redis://127.0.0.1:1",
        "CHECKOUT_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
        "CHECKOUT_MERCHANT_FILE": str(BOOK),
        "CHECKOUT_API_KEYS_FILE": str(folder / "keys.json"),
        "CHECKOUT_TOKEN_KEYS_FILE": str(folder / "token-keys"),
        "CHECKOUT_PAYMENT_PROVIDER": "test",
        "CHECKOUT_PAYMENT_TEST_FILE": str(folder / "payments.db"),
    }


NEEDED = [
    ("api", "CHECKOUT_EVENT_STORE_URL"),
    ("api", "CHECKOUT_REDIS_URL"),
    ("api", "CHECKOUT_MERCHANT_FILE"),
    ("api", "CHECKOUT_API_KEYS_FILE"),
    ("commands", "CHECKOUT_KAFKA_BOOTSTRAP_SERVERS"),
    ("api", "CHECKOUT_TOKEN_KEYS_FILE"),
    ("commands", "CHECKOUT_MERCHANT_FILE"),
    ("commands", "CHECKOUT_TOKEN_KEYS_FILE"),
    ("payments", "CHECKOUT_TOKEN_KEYS_FILE"),
    ("payments", "CHECKOUT_PAYMENT_PROVIDER"),
    ("payments", "CHECKOUT_PAYMENT_TEST_FILE"),
    ("relay", "CHECKOUT_KAFKA_BOOTSTRAP_SERVERS"),
    ("projector", "CHECKOUT_REDIS_URL"),
    ("topics", "CHECKOUT_KAFKA_BOOTSTRAP_SERVERS"),
    ("keys list", "CHECKOUT_API_KEYS_FILE"),
]


@pytest.mark.parametrize(("command", "variable"), NEEDED)
def test_a_service_does_not_start_without_a_setting_that_it_needs(tmp_path, command, variable):
    settings = settings_of(tmp_path)
    del settings[variable]

    ended = checkout(*command.split(), **settings)

    assert ended.returncode == 2
    [line] = ended.stderr.splitlines()
    assert line.startswith(f"checkout: {variable} is not set")


WRONG = {
    "CHECKOUT_EVENT_STORE_URL": "mysql://user:geheim@host/db",
    "CHECKOUT_REDIS_URL": "http://:geheim@host",
    "CHECKOUT_MERCHANT_FILE": "/no/such/book.toml",
    "CHECKOUT_API_KEYS_FILE": "/no/such/keys.json",
    "CHECKOUT_TOKEN_KEYS_FILE": "/no/such/token-keys",
    "CHECKOUT_TOKEN_KEYS": "k1:geheim",
    "CHECKOUT_PAYMENT_PROVIDER": "geheim",
    "CHECKOUT_HTTP_PORT": "geheim",
    "CHECKOUT_HTTP_HOST": "256.256.256.256",
    "CHECKOUT_TOPIC_PREFIX": "geheim !",
}


@pytest.mark.parametrize(("variable", "value"), WRONG.items())
def test_a_wrong_setting_stops_the_start_with_a_line_that_names_it(tmp_path, variable, value):
    ended = checkout("api", **settings_of(tmp_path) | {variable: value})

    assert ended.returncode == 2
    [line] = [line for line in ended.stderr.splitlines() if line.startswith("checkout: ")]
    assert variable in line
    assert "geheim" not in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    "url", ["postgresql://user:geheim@127.0.0.1:1/db", "postgresql://user:geheim@h:bad/db"]
)
def test_an_event_store_out_of_reach_is_a_failure_that_names_the_setting(tmp_path, url):
    ended = checkout("relay", **settings_of(tmp_path) | {"CHECKOUT_EVENT_STORE_URL": url})

    assert ended.returncode == 1
    assert "checkout: CHECKOUT_EVENT_STORE_URL: " in ended.stderr
    assert "geheim" not in ended.stderr
    assert "Traceback" not in ended.stderr


def test_topics_and_send_fail_clearly_when_kafka_is_out_of_reach(tmp_path):
    settings = settings_of(tmp_path)

    for command in (["topics"], ["send", "CancelCheckout", "a"]):
        ended = checkout(*command, **settings)
        assert ended.returncode == 1
        assert "checkout: " in ended.stderr
        assert "Traceback" not in ended.stderr
