"""API keys in a file: made, found, revoked, and never told again."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from services.security.api_keys import (
    BadKeyName,
    BadKeysFile,
    KeyRing,
    ReloadingApiKeys,
    Scope,
    create_key,
    load_ring,
    revoke_key,
)
from tests.eventually import eventually

READ, WRITE = Scope.READ, Scope.WRITE


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "api-keys.json"


@pytest.fixture
def open_umask():
    before = os.umask(0)
    yield
    os.umask(before)


def test_a_new_key_is_found_by_its_token_alone(path):
    key, token = create_key(path, "shop", [READ, WRITE, READ])

    ring = load_ring(path)
    assert ring.find(token) == key
    assert (key.name, key.scopes) == ("shop", (READ, WRITE))
    assert ring.find(token + "x") is None
    assert ring.find("") is None
    assert ring.find("\ud800") is None


def test_tokens_are_never_alike(path):
    tokens = {create_key(path, f"shop-{number}", [READ])[1] for number in range(20)}

    assert len(tokens) == 20
    assert all(len(token) > 40 for token in tokens)


def test_a_given_token_is_taken(path):
    key, token = create_key(path, "shop", [READ], "chosen")

    assert token == "chosen"
    assert load_ring(path).find("chosen") == key


def test_a_revoked_key_is_not_found_but_still_listed(path):
    _, token = create_key(path, "shop", [READ])
    _, other = create_key(path, "other", [READ])

    revoked = revoke_key(path, "shop")

    ring = load_ring(path)
    assert ring.find(token) is None
    assert ring.find(other)
    assert [(key.name, key.revoked_at) for key in ring.keys] == [
        ("shop", revoked.revoked_at),
        ("other", None),
    ]
    assert revoke_key(path, "shop").revoked_at == revoked.revoked_at


def test_a_name_is_never_used_again_not_even_after_its_key_is_revoked(path):
    create_key(path, "shop", [READ])
    with pytest.raises(BadKeyName, match="shop"):
        create_key(path, "shop", [READ])

    revoke_key(path, "shop")
    with pytest.raises(BadKeyName, match="shop"):
        create_key(path, "shop", [READ])
    assert len(load_ring(path).keys) == 1


@pytest.mark.parametrize("name", ["", "a b", "x" * 101, "ü", "a/b", "a\n"])
def test_a_malformed_name_is_refused_and_nothing_is_written(path, name):
    with pytest.raises(BadKeyName):
        create_key(path, name, [READ])
    assert not path.exists()


def test_a_key_without_a_scope_is_refused(path):
    with pytest.raises(BadKeyName, match="checkouts:read"):
        create_key(path, "shop", [])


def test_revoking_what_is_not_there_is_refused(path):
    with pytest.raises(BadKeysFile, match="is not there"):
        revoke_key(path, "shop")
    create_key(path, "shop", [READ])
    with pytest.raises(BadKeyName, match="nobody"):
        revoke_key(path, "nobody")


def test_only_its_owner_can_read_the_file_whatever_the_umask(path, open_umask):
    create_key(path, "shop", [READ])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600

    revoke_key(path, "shop")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_file_tells_no_token_and_equal_tokens_have_other_digests_elsewhere(path, tmp_path):
    elsewhere = tmp_path / "elsewhere.json"
    key, token = create_key(path, "shop", [READ], "one token for both")
    other, _ = create_key(elsewhere, "shop", [READ], "one token for both")

    assert token not in path.read_text()
    assert key.digest != other.digest
    assert KeyRing(salt="00" * 16).digest(token) not in {key.digest, other.digest}


def test_keys_that_processes_create_at_the_same_time_are_all_there(path):
    create = (
        "import sys; from pathlib import Path; from services.security.api_keys import Scope, create_key\n"
        "for n in range(10): create_key(Path(sys.argv[1]), f'{sys.argv[2]}-{n}', [Scope.READ])"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", create, path, str(number)]) for number in range(4)
    ]

    assert [process.wait(60) for process in processes] == [0] * 4
    names = {key.name for key in load_ring(path).keys}
    assert names == {f"{process}-{number}" for process in range(4) for number in range(10)}


BROKEN = {
    "half of it": lambda text: text[: len(text) // 2],
    "nothing": lambda _: "",
    "another file": lambda _: "[]",
    "an unknown scope": lambda text: text.replace("checkouts:read", "checkouts:all"),
    "an unknown field": lambda text: text.replace('"name"', '"nom"'),
}


@pytest.mark.parametrize("spoil", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_file_is_refused_without_telling_what_is_in_it(path, spoil):
    key, _ = create_key(path, "shop", [READ])
    salt = json.loads(path.read_text())["salt"]
    path.write_text(spoil(path.read_text()))

    with pytest.raises(BadKeysFile, match=r"api-keys\.json") as refused:
        ReloadingApiKeys(path)
    assert not any(secret[:8] in str(refused.value) for secret in (key.digest, salt))


def test_a_missing_file_is_refused_with_what_makes_it(path):
    with pytest.raises(BadKeysFile, match="checkout keys create"):
        ReloadingApiKeys(path)


def test_keys_that_are_added_and_revoked_while_it_runs_are_noticed(path):
    _, first = create_key(path, "first", [READ])
    keys = ReloadingApiKeys(path)
    _, second = create_key(path, "second", [READ])

    eventually(lambda: keys.find(second), within=5)
    revoke_key(path, "first")
    eventually(lambda: keys.find(first) is None, within=5)
    assert keys.failure is None


@pytest.mark.parametrize("spoil", [*BROKEN.values(), None], ids=[*BROKEN.keys(), "removed"])
def test_a_file_that_breaks_while_it_runs_leaves_the_keys_and_is_reported(path, spoil, caplog):
    key, token = create_key(path, "shop", [READ])
    good = path.read_text()
    keys = ReloadingApiKeys(path)
    if spoil:
        path.write_text(spoil(good))
    else:
        path.unlink()

    eventually(lambda: keys.failure, within=5)

    assert path.name in str(keys.failure)
    assert keys.find(token) == key
    assert "could not be read again" in caplog.text
    path.write_text(good)
    eventually(lambda: keys.failure is None, within=5)
    assert keys.find(token) == key
