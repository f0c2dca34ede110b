"""Payment tokens rest sealed: only our keys open them, and only for the attempt that they belong to."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.security.token_encryption import (
    BadTokenKeys,
    DecryptionFailed,
    TokenKeys,
    UnknownTokenKey,
    new_key_line,
)

TOKEN = b"spt_123"
ATTEMPT = "attempt_1"
OLD, NEW = new_key_line("old"), new_key_line("new")


@given(st.binary(max_size=2_000), st.text(st.characters(codec="utf-8"), max_size=100))
def test_what_was_sealed_opens_again(secret: bytes, context: str):
    keys = TokenKeys.parse(OLD)
    assert keys.decrypt(keys.encrypt(secret, context), context) == secret


def test_what_is_sealed_does_not_show_the_token_and_never_looks_the_same():
    keys = TokenKeys.parse(OLD)
    one, other = keys.encrypt(TOKEN, ATTEMPT), keys.encrypt(TOKEN, ATTEMPT)
    assert TOKEN not in one
    assert one != other


def test_a_seal_of_one_attempt_does_not_open_for_another_one():
    keys = TokenKeys.parse(OLD)
    with pytest.raises(DecryptionFailed):
        keys.decrypt(keys.encrypt(TOKEN, ATTEMPT), "attempt_2")


def test_a_seal_that_was_changed_or_cut_anywhere_does_not_open():
    keys = TokenKeys.parse(OLD)
    sealed = keys.encrypt(TOKEN, ATTEMPT)
    for at in range(len(sealed)):
        changed = bytearray(sealed)
        changed[at] ^= 1
        for spoilt in (bytes(changed), sealed[:at]):
            with pytest.raises((DecryptionFailed, UnknownTokenKey)):
                keys.decrypt(spoilt, ATTEMPT)


def test_the_first_key_seals_and_an_older_one_still_opens():
    sealed_before = TokenKeys.parse(OLD).encrypt(TOKEN, ATTEMPT)
    rotated = TokenKeys.parse(NEW + OLD)
    assert rotated.decrypt(sealed_before, ATTEMPT) == TOKEN
    assert TokenKeys.parse(NEW).decrypt(rotated.encrypt(TOKEN, ATTEMPT), ATTEMPT) == TOKEN


def test_a_key_that_was_taken_away_is_named():
    sealed = TokenKeys.parse(OLD).encrypt(TOKEN, ATTEMPT)
    with pytest.raises(UnknownTokenKey, match="the key old,"):
        TokenKeys.parse(NEW).decrypt(sealed, ATTEMPT)


def test_another_key_under_the_same_id_opens_nothing():
    sealed = TokenKeys.parse(OLD).encrypt(TOKEN, ATTEMPT)
    with pytest.raises(DecryptionFailed):
        TokenKeys.parse(new_key_line("old")).decrypt(sealed, ATTEMPT)


def test_blank_lines_and_comments_say_nothing():
    keys = TokenKeys.parse(f"# rotated in May\n\n  {NEW}\n  # the old one\n{OLD}\n")
    assert repr(keys) == "TokenKeys(new, old)"


SHORT = base64.b64encode(b"short secret").decode()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "there is no key in it"),
        ("# none yet\n", "there is no key in it"),
        ("\nc2VjcmV0", "line 2: must be ID:KEY"),
        (":c2VjcmV0", "line 1: an id is 1 to 64"),
        ("a b:c2VjcmV0", "line 1: an id is 1 to 64"),
        (f"{OLD}k2:c2VjcmV0!", "line 2: the key of k2 is not base64"),
        ("k1:c2VjcmV0\u00e9", "line 1: the key of k1 is not base64"),
        (f"k1:{SHORT}", "line 1: the key of k1 has 12 bytes, not 32"),
        (f"{OLD}{OLD}", "line 2: there is a key old already"),
    ],
    ids=range(9),  # Not the lines: the keys in them differ from process to process.
)
def test_a_bad_line_is_told_by_its_number_and_no_key_is_quoted(text: str, told: str):
    with pytest.raises(BadTokenKeys, match=told) as refused:
        TokenKeys.parse(text)
    assert not any(secret in str(refused.value) for secret in (SHORT, "c2VjcmV0", OLD[4:-1]))


def test_a_file_of_keys_is_read_and_its_errors_name_the_file(tmp_path: Path):
    path = tmp_path / "token.keys"
    with pytest.raises(BadTokenKeys, match=r"token.keys is not there; a first key is made by"):
        TokenKeys.load(path)
    path.write_text("k1")
    with pytest.raises(BadTokenKeys, match=r"token.keys: line 1: must be ID:KEY"):
        TokenKeys.load(path)
    path.write_bytes(b"\xff")
    with pytest.raises(BadTokenKeys, match=r"token.keys is not UTF-8"):
        TokenKeys.load(path)
    with pytest.raises(BadTokenKeys, match=r"can't be read: Is a directory"):
        TokenKeys.load(tmp_path)
    path.write_text(OLD)
    assert (
        TokenKeys.load(path).decrypt(TokenKeys.parse(OLD).encrypt(TOKEN, ATTEMPT), ATTEMPT) == TOKEN
    )


def test_neither_repr_nor_an_error_shows_a_key():
    keys = TokenKeys.parse(OLD)
    secret = OLD.partition(":")[2].strip()
    with pytest.raises(DecryptionFailed) as broken:
        keys.decrypt(keys.encrypt(TOKEN, ATTEMPT), "attempt_2")
    assert secret not in f"{keys!r} {keys} {vars(keys)} {broken.value!r}"
