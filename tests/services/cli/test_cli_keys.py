"""`checkout keys`: created keys are shown once, listed by name, and revoked."""

import json

import pytest

from services.security.api_keys import Scope, load_ring
from tests.services.command_line import checkout

BOTH = ["--scope", "checkouts:read", "--scope", "checkouts:write"]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "keys.json"


@pytest.fixture
def keys(path):
    def run(*arguments):
        return checkout("keys", *arguments, CHECKOUT_API_KEYS_FILE=path)

    return run


def test_a_created_key_alone_is_on_standard_output(keys, path):
    ended = keys("create", "shop", *BOTH)

    assert ended.returncode == 0
    [token] = ended.stdout.splitlines()
    assert load_ring(path).find(token).name == "shop"
    assert "only time" in ended.stderr


def test_a_script_gets_the_created_key_as_json(keys, path):
    created = json.loads(keys("create", "shop", *BOTH, "--json").stdout)

    assert created["name"] == "shop"
    assert created["scopes"] == ["checkouts:read", "checkouts:write"]
    assert load_ring(path).find(created["key"]).scopes == (Scope.READ, Scope.WRITE)


def test_the_list_tells_names_scopes_and_times_and_no_secret(keys, path):
    token = keys("create", "shop", *BOTH).stdout.strip()
    keys("create", "gone", "--scope", "checkouts:read")
    keys("revoke", "gone")

    as_text, as_json = keys("list"), keys("list", "--json")

    shop, gone = as_text.stdout.splitlines()
    assert shop.startswith("shop  checkouts:read checkouts:write  created 20")
    assert shop.endswith("  valid")
    assert "  revoked 20" in gone
    first, second = json.loads(as_json.stdout)
    assert first.keys() == {"name", "scopes", "created_at", "revoked_at"}
    assert (first["name"], first["revoked_at"]) == ("shop", None)
    assert (second["name"], bool(second["revoked_at"])) == ("gone", True)
    for secret in (token, *(key.digest for key in load_ring(path).keys)):
        assert secret not in as_text.stdout + as_json.stdout


def test_a_revoked_key_is_revoked(keys, path):
    token = keys("create", "shop", *BOTH).stdout.strip()

    as_text, again = keys("revoke", "shop"), keys("revoke", "shop", "--json")

    assert (as_text.returncode, again.returncode) == (0, 0)
    assert "shop is revoked since 20" in as_text.stdout
    assert json.loads(again.stdout)["revoked_at"] in as_text.stdout
    assert load_ring(path).find(token) is None


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["create", "shop", *BOTH], "shop already"),
        (["create", "a b", *BOTH], "A-Z a-z 0-9"),
        (["revoke", "nobody"], "nobody"),
    ],
)
def test_a_name_that_is_taken_malformed_or_unknown_is_bad_usage(keys, path, arguments, told):
    keys("create", "shop", *BOTH)
    before = path.read_bytes()

    ended = keys(*arguments)

    assert (ended.returncode, ended.stdout) == (2, "")
    assert told in ended.stderr
    assert path.read_bytes() == before


def test_a_broken_file_is_never_written_over(keys, path):
    path.write_text("{")

    for arguments in (["list"], ["create", "shop", *BOTH], ["revoke", "shop"]):
        ended = keys(*arguments)
        assert ended.returncode == 2
        assert "keys.json" in ended.stderr
    assert path.read_text() == "{"
