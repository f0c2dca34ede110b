"""Encrypts buyers' payment tokens, so that the store never holds one in plain text."""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from collections.abc import Sequence
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_FORMAT = b"\x01"
_KEY_BYTES = 32
_NONCE_BYTES = 12  # 96 bits, the size that NIST SP 800-38D has GCM use.
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class TokenKeys:
    """AES-256-GCM with rotating keys: the first key encrypts, and each key decrypts what it
    encrypted.

    To rotate, add the new key as the second line everywhere, then make it the first, and remove the
    old one when nothing encrypted with it is left. A context, such as the id of the payment
    attempt, is authenticated with the secret: what was encrypted for one attempt can't be decrypted
    for another.
    """

    def __init__(self, keys: Sequence[tuple[str, bytes]]) -> None:
        self._encrypting_id = keys[0][0]
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys}

    def __repr__(self) -> str:
        return f"TokenKeys({', '.join(self._ciphers)})"

    @classmethod
    def load(cls, path: Path) -> TokenKeys:
        """The keys in a file. Raises `BadTokenKeys`."""
        try:
            return cls.parse(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise BadTokenKeys(
                f"{path} is not there; a first key is made by"
                f" `(umask 077; echo key1:$(openssl rand -base64 {_KEY_BYTES}) > {path})`"
            ) from None
        except OSError as error:
            raise BadTokenKeys(f"{path} can't be read: {error.strerror}") from None
        except UnicodeDecodeError:
            raise BadTokenKeys(f"{path} is not UTF-8") from None
        except BadTokenKeys as error:
            raise BadTokenKeys(f"{path}: {error}") from None

    @classmethod
    def parse(cls, text: str) -> TokenKeys:
        """The keys in lines of `ID:KEY`, KEY being 32 bytes in base64. Raises `BadTokenKeys`.

        Blank lines and lines that begin with `#` are ignored.
        """
        keys: dict[str, bytes] = {}
        for number, line in enumerate(text.splitlines(), 1):
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            key_id, key = _parse_line(number, line.strip())
            if key_id in keys:
                raise BadTokenKeys(f"line {number}: there is a key {key_id} already")
            keys[key_id] = key
        if not keys:
            raise BadTokenKeys("there is no key in it; a line is ID:KEY, the key in base64")
        return cls(list(keys.items()))

    def encrypt(self, secret: bytes, context: str) -> bytes:
        """The encrypted secret, with the id of its key. Each result is different."""
        header = _FORMAT + bytes([len(self._encrypting_id)]) + self._encrypting_id.encode()
        nonce = secrets.token_bytes(_NONCE_BYTES)
        cipher = self._ciphers[self._encrypting_id]
        return header + nonce + cipher.encrypt(nonce, secret, header + context.encode())

    def decrypt(self, sealed: bytes, context: str) -> bytes:
        """The decrypted secret. Raises `UnknownTokenKey`, or `DecryptionFailed` for another context or a
        changed value.
        """
        if sealed[:1] != _FORMAT or len(sealed) < 2:
            raise DecryptionFailed("it was not sealed by this service")
        header, rest = sealed[: 2 + sealed[1]], sealed[2 + sealed[1] :]
        if len(rest) < _NONCE_BYTES:
            raise DecryptionFailed("the sealed value is truncated")
        key_id = header[2:].decode("ascii", "replace")
        if key_id not in self._ciphers:
            shown = key_id if _ID.fullmatch(key_id) else repr(key_id)
            raise UnknownTokenKey(f"it was sealed with the key {shown}, which is not among ours")
        nonce, encrypted = rest[:_NONCE_BYTES], rest[_NONCE_BYTES:]
        try:
            return self._ciphers[key_id].decrypt(nonce, encrypted, header + context.encode())
        except InvalidTag:
            raise DecryptionFailed("it was changed, or sealed in another context") from None


def new_key_line(key_id: str) -> str:
    """A line for the key file, with a new key."""
    return f"{key_id}:{base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()}\n"


def _parse_line(number: int, line: str) -> tuple[str, bytes]:
    """A line's id and key. Errors never quote the line: it may be a key without an id."""
    key_id, colon, encoded = line.partition(":")
    if not colon:
        raise BadTokenKeys(f"line {number}: must be ID:KEY, the key in base64")
    if not _ID.fullmatch(key_id.strip()):
        raise BadTokenKeys(f"line {number}: an id is 1 to 64 of A-Z a-z 0-9 . _ -")
    try:
        key = base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise BadTokenKeys(f"line {number}: the key of {key_id.strip()} is not base64") from None
    if len(key) != _KEY_BYTES:
        raise BadTokenKeys(
            f"line {number}: the key of {key_id.strip()} has {len(key)} bytes, not {_KEY_BYTES}"
        )
    return key_id.strip(), key


class BadTokenKeys(Exception):
    """The file of token keys is missing or can't be read as one. The message never quotes a key."""


class UnknownTokenKey(Exception):
    """The key that encrypted this is not in the file."""


class DecryptionFailed(Exception):
    """The encrypted value was changed, or belongs to another context."""
