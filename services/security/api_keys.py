"""API keys: a file of keyed hashes with names and scopes. The keys themselves are shown once."""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import logging
import os
import re
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

logger = logging.getLogger(__name__)

_CHECK_SECONDS = 1.0
"""Seconds between two checks of the file: a revoked key stops working within this time."""

_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")


class Scope(StrEnum):
    """What a key may do."""

    READ = "checkouts:read"
    WRITE = "checkouts:write"


class BadKeysFile(Exception):
    """The file of API keys is missing or can't be read as one."""


class BadKeyName(Exception):
    """A name that is malformed, taken or unknown."""


class ApiKey(BaseModel):
    """A key in the file. Its name is the actor of the events that it causes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    digest: str
    scopes: tuple[Scope, ...]
    created_at: AwareDatetime
    revoked_at: AwareDatetime | None = None


class KeyRing(BaseModel):
    """All keys, and the salt of their digests (hexadecimal)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    salt: str = Field(default_factory=lambda: secrets.token_hex(16))
    keys: tuple[ApiKey, ...] = ()

    def find(self, token: str) -> ApiKey | None:
        """The key of a token, if it is not revoked. Takes equally long for any token."""
        digest = self.digest(token)
        found = None
        for key in self.keys:
            if hmac.compare_digest(key.digest, digest) and key.revoked_at is None:
                found = key
        return found

    def digest(self, token: str) -> str:
        """The keyed hash of a token."""
        data = token.encode("utf-8", "surrogatepass")
        return hashlib.blake2b(data, key=bytes.fromhex(self.salt), digest_size=32).hexdigest()


class ReloadingApiKeys:
    """The keys in a file, which is read again when it changes.

    If the file becomes unreadable, the keys read last stay in force, and `failure` says so.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        # The stamp is read first: a file replaced between the two reads is then read again.
        self._stamp = _stamp(path) if path.exists() else None
        self._ring = load_ring(path)
        self._checked_at = time.monotonic()
        self._failure: str | None = None

    @property
    def failure(self) -> str | None:
        """What is wrong with the file, None if nothing is."""
        self._refresh()
        return self._failure

    def find(self, token: str) -> ApiKey | None:
        """The key of a token, if there is one and it is not revoked."""
        self._refresh()
        return self._ring.find(token)

    def _refresh(self) -> None:
        if time.monotonic() - self._checked_at < _CHECK_SECONDS:
            return
        self._checked_at = time.monotonic()
        try:
            stamp = _stamp(self._path)
            if stamp != self._stamp or self._failure:
                self._ring = load_ring(self._path)
                self._stamp = stamp
            self._failure = None
        except (OSError, BadKeysFile) as error:
            self._failure = str(error)
            logger.exception("the API keys could not be read again; those read last stay in force")


def load_ring(path: Path) -> KeyRing:
    """The keys in a file. Raises `BadKeysFile`."""
    try:
        return KeyRing.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise BadKeysFile(f"{path} is not there; `checkout keys create NAME` creates it") from None
    except OSError as error:
        raise BadKeysFile(f"{path} can't be read: {error.strerror}") from None
    except ValidationError as error:
        # Without the input: the content of the file must not be logged.
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise BadKeysFile(f"{path} is not a file of API keys: {where}: {first['msg']}") from None


def create_key(
    path: Path, name: str, scopes: Sequence[Scope], token: str | None = None
) -> tuple[ApiKey, str]:
    """Add a key and return it with its token, which is not stored. Raises `BadKeyName`.

    A name is never reused, not even after its key is revoked: events name their actor by it.
    """
    if not _NAME.fullmatch(name):
        raise BadKeyName("a key's name is 1 to 100 of A-Z a-z 0-9 . _ -")
    if not scopes:
        raise BadKeyName(f"a key needs a scope: {', '.join(Scope)}")
    token = token or f"ck_{secrets.token_urlsafe(32)}"
    with _locked(path):
        ring = load_ring(path) if path.exists() else KeyRing()
        if any(key.name == name for key in ring.keys):
            raise BadKeyName(f"there is a key named {name} already, maybe a revoked one")
        key = ApiKey(
            name=name,
            digest=ring.digest(token),
            scopes=tuple(dict.fromkeys(scopes)),
            created_at=datetime.now(UTC),
        )
        _write(path, ring.model_copy(update={"keys": (*ring.keys, key)}))
    return key, token


def revoke_key(path: Path, name: str) -> ApiKey:
    """Revoke a key. Raises `BadKeyName` if there is none of that name."""
    with _locked(path):
        ring = load_ring(path)
        revoked = {
            key.name: key.model_copy(update={"revoked_at": key.revoked_at or datetime.now(UTC)})
            for key in ring.keys
            if key.name == name
        }
        if not revoked:
            raise BadKeyName(f"there is no key named {name}")
        keys = tuple(revoked.get(key.name, key) for key in ring.keys)
        _write(path, ring.model_copy(update={"keys": keys}))
    return revoked[name]


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Serialize changes of the file by several processes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f"{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _write(path: Path, ring: KeyRing) -> None:
    """Replace the file atomically."""
    draft = path.with_name(f"{path.name}.draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(ring.model_dump_json(indent=2, exclude_none=True))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _stamp(path: Path) -> tuple[int, int, int]:
    stat = path.stat()
    return (stat.st_mtime_ns, stat.st_ino, stat.st_size)
